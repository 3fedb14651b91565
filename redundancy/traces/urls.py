"""The addresses of SRM traces and log collections."""

from django.urls import path

from redundancy.traces.views.collections import log_collection, log_collection_download
from redundancy.traces.views.trace import srm_trace, srm_trace_download, srm_trace_level

TRACE, COLLECTION = "ccmservice/srm-trace", "ccmservice/log-collection"

urlpatterns = [
    path(f"{TRACE}/", srm_trace, name="srm_trace"),
    path(f"{TRACE}/<int:pk>/download/", srm_trace_download, name="srm_trace_download"),
    path(f"{TRACE}/<int:pk>/level/", srm_trace_level, name="srm_trace_level"),
    path(f"{COLLECTION}/", log_collection, name="log_collection"),
    path(f"{COLLECTION}/<int:pk>/", log_collection_download, name="log_collection_download"),
]
