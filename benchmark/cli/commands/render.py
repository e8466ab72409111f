"""``bench render``: noisy images and references of scenes, by Monte Carlo."""

from benchmark.cli.command import CommandLine, command
from benchmark.rendering.config import RenderConfig


@command("render", goes_on=True)
def render(options: RenderConfig, line: CommandLine) -> None:
    """Monte-Carlo noise: pictures of few samples per pixel, and of very many.

      bench render                                      every scene: 128, 64 and 4096 samples
      bench render scenes=caustic reference=16384       a scene whose rare paths need more
      bench render size=96 spp=[256,64,16] out=my/renders
      bench run noise=mc_render noise.mc_render.path=my/renders noise.mc_render.levels=[256,64,16]

    It needs Mitsuba: pip install 'noisebench[render]'. Run the same command again after an
    interruption: it goes on from its last 64 samples per pixel.
    """
    from benchmark.console.log import log
    from benchmark.rendering.render import render_pairs

    paths = render_pairs(options)
    log.info(
        f"{len(paths)} images in {options.out}; score them with: bench run noise=mc_render "
        f"noise.mc_render.path={options.out}"
    )
