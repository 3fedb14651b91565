"""The addresses of SRM traces and log collections."""

from django.urls import path

from redundancy.traces.views import collections, trace

urlpatterns = [
    path("ccmservice/srm-trace/", trace.srm_trace, name="srm_trace"),
    path(
        "ccmservice/srm-trace/<int:pk>/download/",
        trace.srm_trace_download,
        name="srm_trace_download",
    ),
    path("ccmservice/srm-trace/<int:pk>/level/", trace.srm_trace_level, name="srm_trace_level"),
    path("ccmservice/log-collection/", collections.log_collection, name="log_collection"),
    path(
        "ccmservice/log-collection/<int:pk>/",
        collections.log_collection_download,
        name="log_collection_download",
    ),
]
