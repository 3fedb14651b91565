"""The addresses of planned restarts and the preflight."""

from django.urls import path

from redundancy.planned.views import preflight, restarts

urlpatterns = [
    path(
        "ccmadmin/presence-redundancy-groups/<int:pk>/preflight/",
        preflight.preflight_page,
        name="preflight",
    ),
    path("ccmservice/planned-restarts/", restarts.planned_list, name="planned_list"),
    path("ccmservice/planned-restarts/<int:pk>/", restarts.planned_restart, name="planned_restart"),
    path(
        "ccmservice/planned-restarts/<int:pk>/<slug:step>/",
        restarts.planned_step,
        name="planned_step",
    ),
]
