from django.urls import path

from .views import attachment, body, completion, compose, download, expiry, folders, message, recall, resending

urlpatterns = [
    path("inbox/", folders.inbox, name="inbox"),
    path("sent/", folders.sent, name="sent"),
    path("drafts/", folders.drafts, name="drafts"),
    path("deleted/", folders.deleted, name="deleted"),
    path("compose/", compose.compose, name="compose"),
    path("compose/complete/", completion.complete, name="complete"),
    path("drafts/<uuid:message>/", compose.draft, name="draft"),
    path("messages/undo-sending/", compose.undo_sending, name="undo_sending"),
    path("messages/delete/", folders.delete, name="delete"),
    path("messages/restore/", folders.restore, name="restore"),
    path("messages/remove/", folders.remove, name="remove"),
    path("messages/mark-read/", folders.mark_read, name="mark_read"),
    path("messages/mark-unread/", folders.mark_unread, name="mark_unread"),
    path("messages/<uuid:entry>/", message.message, name="message"),
    path("messages/<uuid:entry>/arrive/", message.arrive, name="arrive"),
    path("messages/<uuid:entry>/body/", body.body, name="body"),
    path("messages/<uuid:entry>/attachments/<uuid:attachment>/", attachment.attachment, name="attachment"),
    path("messages/<uuid:entry>/print/", body.print_sheet, name="print_sheet"),
    path("messages/<uuid:entry>/download/", download.download, name="download"),
    path("messages/<uuid:entry>/reply/", compose.reply, name="reply"),
    path("messages/<uuid:entry>/reply-all/", compose.reply_all, name="reply_all"),
    path("messages/<uuid:entry>/forward/", compose.forward, name="forward"),
    path("messages/<uuid:entry>/recall/<uuid:recipient>/", recall.recall_recipient, name="recall_recipient"),
    path("messages/<uuid:entry>/resend/<uuid:recipient>/", resending.resend, name="resend"),
    path("messages/<uuid:entry>/send-to-another/", resending.send_to_another, name="send_to_another"),
    path("messages/<uuid:entry>/extend/", expiry.extend, name="extend"),
    path("messages/<uuid:entry>/expire/", expiry.expire, name="expire"),
    path("messages/<uuid:entry>/recall/", recall.recall, name="recall"),
]
