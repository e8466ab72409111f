"""One loop which trains every denoiser."""
