import logging

from django.core.cache import cache
from django.shortcuts import redirect, render
from django.utils.safestring import mark_safe

from .formatting import to_html
from .models import Entry

log = logging.getLogger(__name__)


def index(request):
    try:
        visits = cache.incr('visits')
    except ValueError:
        cache.set('visits', 1, None)
        visits = 1
    entries = [
        {'author': entry.author, 'html': mark_safe(to_html(entry.text))}
        for entry in Entry.objects.order_by('-pk')[:25]
    ]
    return render(request, 'board/index.html', {
        'entries': entries,
        'visits': visits,
        'author': request.session.get('author'),
    })


def sign(request):
    request.session['author'] = request.POST['author'][:40]
    log.info('%s signed the board', request.session['author'])
    return redirect('/')
