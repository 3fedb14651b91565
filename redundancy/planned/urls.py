"""The addresses of planned restarts and the preflight."""

from django.urls import path

from redundancy.planned.views import preflight
from redundancy.planned.views import restarts as planned

urlpatterns = [
    path(
        "ccmadmin/presence-redundancy-groups/<int:pk>/preflight/",
        preflight.preflight_page,
        name="preflight",
    ),
    path("ccmservice/planned-restarts/", planned.planned_list, name="planned_list"),
    path("ccmservice/planned-restarts/<int:pk>/", planned.planned_restart, name="planned_restart"),
    path(
        "ccmservice/planned-restarts/<int:pk>/<slug:step>/",
        planned.planned_step,
        name="planned_step",
    ),
]
