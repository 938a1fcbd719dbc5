from portal.dates import AsChosen

DATETIME_FORMAT = AsChosen("j F Y, H:i T")
