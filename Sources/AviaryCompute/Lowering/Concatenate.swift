extension Lowering {
  /// Values side by side in the channel dimension.
  mutating func concatenate(_ unit: Unit) {
    // Copies cost a hundredth of the convolutions around them. To have the parts' producers write
    // into the whole directly is possible in planes and blocks of one picture only, as oneDNN's
    // convolutions want dense destinations.
    let whole = value(unit.output)
    var first = 0
    for input in unit.inputs {
      let copy = ChannelCopy(
        source: value(input), first: 0, destination: whole, to: first,
        count: value(input).shape[1])
      kernel(unit, "concatenate", [.value(input), .value(unit.output)]) { memory, workers in
        unsafe copy.run(memory[0], to: memory[1], workers)
      }
      first += value(input).shape[1]
    }
  }

  /// Some of the channels, where they are not simply a part of the memory.
  mutating func slice(_ unit: Unit, start: Int) {
    let copy = ChannelCopy(
      source: value(unit.inputs[0]), first: start, destination: value(unit.output), to: 0,
      count: value(unit.output).shape[1])
    kernel(unit, "slice", [.value(unit.inputs[0]), .value(unit.output)]) { memory, workers in
      unsafe copy.run(memory[0], to: memory[1], workers)
    }
  }
}
