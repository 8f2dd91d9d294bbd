"""The checks between the AST and the `Pipeline`, in the order in which `runec.frontend` calls them.

    names        every name once; the limits of the file format
    image        the base image
    resources    read what `resources:` declares
    edges        each input to the stage it names
    order        cycles; the order of execution
    kinds        capabilities, their parameters, outputs
    blocks       the block that each path means: of the catalogue, or of a folder
    arguments    values: resources filled in, `@` expressions worked out
    model_files  read each model
    types        element types and shapes at both ends of every edge
    unused       unused items
    lower        the Pipeline

Each is a function of the AST and the results of the passes before it. An item with an error is
absent from the result, and later passes skip it: one mistake, one message.
"""
