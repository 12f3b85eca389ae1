"""Sphinx's settings for the course's website; `make site` lays out the pages and calls Sphinx."""

from course_utils.site.docstrings import prepare_docstring, prepare_signature

project = "Self-supervised learning"
author = "The authors of the course"
copyright = "the authors of the course; BSD 3-Clause license"
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["files/**"]
suppress_warnings = ["mystnb.unknown_mime_type"]

# notebooks: as they are, never executed here
nb_execution_mode = "off"
nb_merge_streams = True
nb_ipywidgets_js = {}
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
myst_update_mathjax = False

# the package's reference
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
default_role = "literal"
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_custom_sections = [("Shape", "returns_style")]
add_module_names = False
python_display_short_literal_types = True

html_theme = "sphinx_book_theme"
html_title = "Self-supervised learning"
html_favicon = "_static/icon.svg"
html_context = {"default_mode": "auto"}
html_static_path = ["_static"]
html_css_files = ["course.css"]
html_js_files = ["course.js"]
html_copy_source = False
html_show_sourcelink = False
html_show_sphinx = False
html_use_index = False
html_domain_indices = False
html_theme_options = {
    "use_download_button": False,
    "use_fullscreen_button": False,
    "navbar_persistent": [],
    "navbar_start": [],
    "navbar_center": [],
    "navbar_end": [],
    "home_page_in_toc": False,
    "show_navbar_depth": 1,
    "show_toc_level": 2,
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}


def setup(app):
    """Let docstrings, which are written in Markdown's way, be read by Sphinx."""
    app.connect("autodoc-process-docstring", prepare_docstring, priority=400)
    app.connect("autodoc-process-signature", prepare_signature)
