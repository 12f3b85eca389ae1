"""How a deck is made of an executed copy: `jupyter nbconvert --config` reads this; ../slides.md says how."""

from pathlib import Path

c = get_config()  # type: ignore[name-defined]  # noqa: F821 - nbconvert gives it
c.NbConvertApp.export_format = "slides"
c.TagRemovePreprocessor.enabled = True
c.TagRemovePreprocessor.remove_input_tags = {"only-output"}  # its picture is on a slide, its code is not
c.SlidesExporter.extra_template_basedirs = [str(Path(__file__).parents[1])]
c.SlidesExporter.template_name = "slides"
c.SlidesExporter.exclude_input_prompt = True
c.SlidesExporter.exclude_output_prompt = True
c.SlidesExporter.reveal_number = "c/t"
c.SlidesExporter.reveal_transition = "none"
c.SlidesExporter.reveal_width = "1120"  # 16 : 9; what stands on a slide is 630 high at most
c.SlidesExporter.reveal_height = "630"
