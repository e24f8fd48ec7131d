const photos = document.getElementById('photos');

function addPhoto(title, url) {
    const figure = document.createElement('figure');
    const image = document.createElement('img');
    const caption = document.createElement('figcaption');
    image.src = url;
    image.alt = '';
    caption.textContent = title;
    figure.append(image, caption);
    photos.prepend(figure);
}
