from django.shortcuts import redirect, render

from .models import Score


def board(request):
    return render(request, 'scores/board.html', {
        'scores': Score.objects.all()[:30],
        'name': request.session.get('name', ''),
    })


def ticker(request):
    return render(request, 'scores/ticker.html')


def name(request):
    request.session['name'] = request.POST['name'][:30]
    return redirect('/')
