"""The addresses at which a cluster becomes the lab."""

from django.urls import path

from redundancy.twin import views

CLUSTERS = "ccmadmin/bulk/clusters"

urlpatterns = [
    path(f"{CLUSTERS}/<int:pk>/apply/", views.cluster_apply, name="cluster_apply"),
    path(f"{CLUSTERS}/undo/", views.cluster_undo, name="cluster_undo"),
]
