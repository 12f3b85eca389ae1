"""The course as a website that needs no network: `make site`."""

from course_utils.site.build import build_site

__all__ = ["build_site"]
