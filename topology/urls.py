"""Addresses of the topology application."""

from django.urls import path

from topology import views

urlpatterns = [
    path("cupadmin/presence-topology/", views.presence_topology, name="topology"),
    path("cupadmin/presence-topology/<int:pk>/", views.node_details, name="node_details"),
]
