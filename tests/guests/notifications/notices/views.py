from django.contrib.auth import get_user_model, login
from django.contrib.auth.decorators import login_required
from django.contrib.auth.forms import UserCreationForm
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse_lazy
from django.views.decorators.http import require_POST
from django.views.generic import CreateView

from .tasks import deliver_notice


@login_required
def home(request):
    users = get_user_model().objects.order_by('username')
    return render(request, 'notices/home.html', {'notices': request.user.notices.all()[:20], 'users': users})


@login_required
@require_POST
def send(request):
    to = get_object_or_404(get_user_model(), username=request.POST.get('to', ''))
    text = request.POST.get('text', '').strip()
    if text:
        deliver_notice.delay(to.pk, f'{request.user.username}: {text}')
    return redirect('home')


class SignUp(CreateView):
    form_class = UserCreationForm
    template_name = 'registration/signup.html'
    success_url = reverse_lazy('home')

    def form_valid(self, form):
        response = super().form_valid(form)
        login(self.request, self.object)
        return response
