"""The addresses of an administrator's own cluster."""

from django.urls import path

from redundancy.cluster.views import comparing, importing, snapshots

CLUSTERS = "ccmadmin/bulk/clusters"

urlpatterns = [
    path("ccmadmin/bulk/import-cluster/", importing.cluster_import, name="cluster_import"),
    path(f"{CLUSTERS}/", snapshots.snapshot_list, name="cluster_snapshots"),
    path(f"{CLUSTERS}/compare/", comparing.compare_page, name="cluster_compare"),
    path(f"{CLUSTERS}/delete/", snapshots.snapshot_delete, name="cluster_snapshot_delete_selected"),
    path(f"{CLUSTERS}/read/<slug:batch>/", importing.cluster_reading, name="cluster_reading"),
    path(f"{CLUSTERS}/<int:pk>/", snapshots.snapshot_page, name="cluster_snapshot"),
    path(f"{CLUSTERS}/<int:pk>/rest/", snapshots.snapshot_rest, name="cluster_snapshot_rest"),
    path(f"{CLUSTERS}/<int:pk>/delete/", snapshots.snapshot_delete, name="cluster_snapshot_delete"),
]
