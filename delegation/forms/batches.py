"""The form that takes a file of relationship requests."""

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy as _

from pages.forms import PortalForm


class RequestBatchForm(PortalForm):
    """A file to check. `most_bytes` is how large it may be."""

    file = forms.FileField(
        label=_("File"),
        help_text=_("CSV, at most 5,000 rows. Nothing is sent before you confirm it."),
        max_length=100,
        widget=forms.FileInput({"accept": ".csv,.txt,.tsv,text/csv"}),
        error_messages={
            "required": _("Choose a file."),
            "missing": _("Choose a file."),
            "empty": _("The file is empty."),
            "invalid": _("The file did not arrive. Choose it again."),
            "max_length": _("Give the file a name of at most 100 characters."),
        },
    )

    def __init__(self, *args: object, most_bytes: int, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.most_bytes = most_bytes

    def clean_file(self) -> UploadedFile:
        """A file that is not too large to be read at once."""
        file: UploadedFile = self.cleaned_data["file"]
        if file.size is None or file.size > self.most_bytes:
            raise forms.ValidationError(
                _("The file is larger than %(most)s MB. Send it in parts."),
                params={"most": self.most_bytes // (1024 * 1024)},
            )
        return file
