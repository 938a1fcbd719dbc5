from django.urls import path

from .views import attachment, compose, expiry, folders, message, recall

urlpatterns = [
    path("inbox/", folders.inbox, name="inbox"),
    path("sent/", folders.sent, name="sent"),
    path("drafts/", folders.drafts, name="drafts"),
    path("deleted/", folders.deleted, name="deleted"),
    path("compose/", compose.compose, name="compose"),
    path("drafts/<uuid:message>/", compose.draft, name="draft"),
    path("messages/undo-sending/", compose.undo_sending, name="undo_sending"),
    path("messages/delete/", folders.delete, name="delete"),
    path("messages/restore/", folders.restore, name="restore"),
    path("messages/remove/", folders.remove, name="remove"),
    path("messages/mark-read/", folders.mark_read, name="mark_read"),
    path("messages/mark-unread/", folders.mark_unread, name="mark_unread"),
    path("messages/<uuid:entry>/", message.message, name="message"),
    path("messages/<uuid:entry>/arrive/", message.arrive, name="arrive"),
    path("messages/<uuid:entry>/body/", message.body, name="body"),
    path("messages/<uuid:entry>/attachments/<uuid:attachment>/", attachment.attachment, name="attachment"),
    path("messages/<uuid:entry>/reply/", compose.reply, name="reply"),
    path("messages/<uuid:entry>/reply-all/", compose.reply_all, name="reply_all"),
    path("messages/<uuid:entry>/extend/", expiry.extend, name="extend"),
    path("messages/<uuid:entry>/expire/", expiry.expire, name="expire"),
    path("messages/<uuid:entry>/recall/", recall.recall, name="recall"),
]
