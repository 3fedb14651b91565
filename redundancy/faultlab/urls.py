"""The addresses of the Fault Lab."""

from django.urls import path

from redundancy.faultlab import views

urlpatterns = [
    path("ccmservice/fault-lab/", views.fault_lab, name="fault_lab"),
    path("ccmservice/fault-lab/lift/", views.fault_lift, name="fault_lift"),
    path("ccmservice/fault-lab/in-force/", views.banner, name="fault_banner"),
]
