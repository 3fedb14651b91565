"""The addresses of what is deployed."""

from django.urls import path

from redundancy.deployment.views.activation import service_activation
from redundancy.deployment.views.functions import functions

urlpatterns = [
    path("ccmservice/service-activation/", service_activation, name="service_activation"),
    path("cupadmin/functions/<slug:page>/", functions, name="functions"),
]
