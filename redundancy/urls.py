"""The addresses of the three applications."""

from django.urls import path

from redundancy.views import control_center, home

urlpatterns = [
    path("", home.home, name="home"),
    path("about/", home.about, name="about"),
    path("go/", home.go, name="go"),
    path(
        "ccmservice/control-center/<str:kind>/",
        control_center.control_center,
        name="control_center",
    ),
    path(
        "ccmservice/control-center/<str:kind>/<int:pk>/service/",
        control_center.service_act,
        name="control_center_service",
    ),
    path(
        "ccmservice/control-center/<str:kind>/<int:pk>/node/",
        control_center.node_act,
        name="control_center_node",
    ),
]
