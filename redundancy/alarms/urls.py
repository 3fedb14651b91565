"""The addresses of alarms."""

from django.urls import path

from redundancy.alarms import views

urlpatterns = [
    path("ccmservice/alarms/", views.alarm_list, name="alarm_list"),
    path("ccmservice/alarms/acknowledge/", views.alarm_acknowledge, name="alarm_acknowledge"),
    path("ccmservice/alarms/banner/", views.alarm_banner, name="alarm_banner"),
]
