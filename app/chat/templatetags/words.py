from django import template

from chat.http.words import page_words

register = template.Library()
register.simple_tag(page_words)
