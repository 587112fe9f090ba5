"""What every page is made of: forms and their drawing, one effect per form, formats, paging, tags.

The lowest room: it knows no business, no person and no rule of the domain. Its look is in
`static/portal.css` over the vendored GC Design System (`manage.py vendor_gcds`); the base page and
the components are in `templates/base.html`, `templates/components/` and `templates/django/forms/`.
"""
