"""The template tag `page_translations`, which gives the page's scripts their texts."""

from django import template

from chat.http.translations import page_translations

register = template.Library()
register.simple_tag(page_translations)
