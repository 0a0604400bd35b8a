"""The network: layers, losses, optimisers, and the file that keeps what was learned.

numpy and the standard library only; runs in CPython and in Pyodide. In reading order: `init`,
`layers`, `activations`, `losses`, `network`, `optim`, `schedules`, `fit`, `models`, `weights`; then
`conv`, `pooling` and `norm` for images; and for speed `products`, `channels`, `memory`, `parallel`.
"""
