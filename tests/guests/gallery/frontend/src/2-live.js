const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
const socket = new WebSocket(`${scheme}://${location.host}/live/gallery/`);

socket.onopen = () => document.body.classList.add('live');

socket.onmessage = ({data}) => {
    const news = JSON.parse(data);
    if (news.added) addPhoto(news.added, news.url);
    if (news.shown) document.getElementById('shown').textContent = `Look at ${news.shown}`;
};

photos.onclick = ({target}) => {
    const figure = target.closest('figure');
    if (figure) socket.send(JSON.stringify({show: figure.querySelector('figcaption').textContent}));
};
