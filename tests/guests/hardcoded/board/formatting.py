from html import escape

from markdown import markdown


def to_html(text):
    return markdown(escape(text))
