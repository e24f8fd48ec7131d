from django.shortcuts import get_object_or_404, redirect, render

from .models import ShoppingList


def home(request):
    if request.method == 'POST':
        found, _ = ShoppingList.objects.get_or_create(name=request.POST['name'])
        return redirect('list', list_id=found.pk)
    return render(request, 'shopping/home.html', {'lists': ShoppingList.objects.all()})


def shopping_list(request, list_id):
    return render(request, 'shopping/list.html', {'list': get_object_or_404(ShoppingList, pk=list_id)})
