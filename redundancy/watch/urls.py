"""The addresses of a real cluster that is looked at."""

from django.urls import path

from redundancy.watch import views

CLUSTERS = "ccmadmin/bulk/clusters"

urlpatterns = [
    path(f"{CLUSTERS}/watched/", views.cluster_watch, name="cluster_watch"),
    path(
        f"{CLUSTERS}/watched/<int:pk>/forget/",
        views.cluster_watch_forget,
        name="cluster_watch_forget",
    ),
]
