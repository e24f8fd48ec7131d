from django.shortcuts import get_object_or_404, redirect, render
from django.utils.text import slugify
from django.utils.translation import ugettext as _

from .models import Talk


def index(request):
    if request.method == 'POST':
        title = request.POST['title']
        talk, created = Talk.objects.get_or_create(slug=slugify(title), defaults={'title': title})
        return redirect('talk', slug=talk.slug)
    return render(request, 'talks/index.html', {
        'talks': Talk.objects.all(),
        'heading': _('Questions to the speakers'),
    })


def talk(request, slug):
    return render(request, 'talks/talk.html', {'talk': get_object_or_404(Talk, slug=slug)})
