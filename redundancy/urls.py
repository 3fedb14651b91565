"""The addresses of the three applications."""

from django.urls import path

from redundancy.views import home

urlpatterns = [
    path("", home.home, name="home"),
    path("about/", home.about, name="about"),
    path("go/", home.go, name="go"),
]
