extension Lowering {
  /// Values side by side in the channel dimension: those that do not lie there already are copied.
  mutating func concatenate(_ unit: Unit) throws(ComputeError) {
    let whole = value(unit.output), place = storage.places[unit.output]
    let offsets = try program.parts(of: unit)?.map(\.offset)
    var first = 0
    for (position, input) in unit.inputs.enumerated() {
      let count = value(input).shape[1]
      defer { first += count }
      if let place, let offsets,
        storage.places[input]
          == Storage.Place(root: place.root, offset: place.offset + offsets[position])
      {
        continue
      }
      let copy = ChannelCopy(
        source: value(input), first: 0, destination: whole, to: first, count: count)
      kernel(unit, "concatenate", [.value(input), .value(unit.output)]) { memory, workers in
        unsafe copy.run(memory[0], to: memory[1], workers)
      }
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
