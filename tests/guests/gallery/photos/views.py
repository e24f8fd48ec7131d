from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.shortcuts import redirect, render

from .forms import PhotoForm
from .models import Photo


def gallery(request):
    form = PhotoForm(request.POST or None, request.FILES or None)
    if request.method == 'POST' and form.is_valid():
        photo = form.save()
        async_to_sync(get_channel_layer().group_send)(
            'gallery', {'type': 'photo.added', 'title': photo.title, 'url': photo.image.url}
        )
        return redirect('gallery')
    return render(request, 'photos/gallery.html', {'form': form, 'photos': Photo.objects.all()[:50]})
