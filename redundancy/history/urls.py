"""The addresses of the history: events, timeline, incidents, audit trail."""

from django.urls import path

from redundancy.history.views import events, incidents, timeline, trail

urlpatterns = [
    path("cupadmin/ha-event-history/", events.event_history, name="event_history"),
    path("cupadmin/ha-event-history/<int:pk>/", events.event, name="event"),
    path("cupadmin/ha-event-history/timeline/<int:pk>/", timeline.group_timeline, name="timeline"),
    path("cupadmin/incidents/", incidents.incident_list, name="incident_list"),
    path("cupadmin/incidents/<int:pk>/", incidents.incident, name="incident"),
    path("cupadmin/audit-trail/", trail.audit_trail, name="audit_trail"),
]
