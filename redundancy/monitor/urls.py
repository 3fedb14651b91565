"""The addresses of the beat monitor, the health checks and the metrics."""

from django.urls import path

from redundancy.monitor import views

urlpatterns = [
    path("cupadmin/beat-monitor/", views.beat_monitor, name="beat_monitor"),
    path("healthz", views.healthz, name="healthz"),
    path("readyz", views.readyz, name="readyz"),
    path("metrics", views.metrics, name="metrics"),
]
