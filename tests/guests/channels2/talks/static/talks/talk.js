$ = function (id) { return document.getElementById(id); };

var slug = document.body.getAttribute('data-slug');
var protocol = window.location.protocol === 'https:' ? 'wss' : 'ws';
var socket = new WebSocket(protocol + '://' + window.location.host + '/ws/talks/' + slug + '/');

socket.onmessage = function (e) {
    var item = document.createElement('li');
    item.innerText = JSON.parse(e.data).question;
    $('questions').appendChild(item);
};

$('ask').onsubmit = function (e) {
    e.preventDefault();
    socket.send(JSON.stringify({question: $('question').value}));
    $('question').value = '';
};
