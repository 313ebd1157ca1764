import AviaryGraph
import AviaryThreads

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

extension Concatenate: KernelOperation {
  func candidates(_ unit: Unit, _ program: Program) -> [Mode] { Mode.anyLayout }

  func lower(_ unit: Unit, _ lowering: inout Lowering) throws(ComputeError) {
    try lowering.concatenate(unit)
  }

  func differentiate(_ unit: Unit, _ gradient: Int, _ pass: inout Differentiation) {
    pass.concatenate(unit, gradient)
  }

  func takesBfloat16(_ unit: Unit, _ program: Program) -> Bool { true }
  var takesIntegers: Bool { true }
}

extension ChannelSlice: KernelOperation {
  func candidates(_ unit: Unit, _ program: Program) -> [Mode] {
    // A block of channels is never cut.
    start % Layout.block == 0 ? Mode.anyLayout : Mode.anyUnblocked
  }

  func lower(_ unit: Unit, _ lowering: inout Lowering) throws(ComputeError) {
    lowering.slice(unit, start: start)
  }

  func differentiate(_ unit: Unit, _ gradient: Int, _ pass: inout Differentiation) {
    pass.pass(unit, .gradient(.by(ChannelSliceGradient(start: start))), [gradient])
  }

  func takesBfloat16(_ unit: Unit, _ program: Program) -> Bool { true }
  var takesIntegers: Bool { true }
}

/// By what some of the channels were taken of, from this one on. Takes their gradient.
struct ChannelSliceGradient: GradientKernel {
  var start: Int

  var name: String { "slice (gradient)" }
  func candidates(_ unit: Unit, _ program: Program) -> [Mode] {
    start % Layout.block == 0 ? Mode.anyLayout : Mode.anyUnblocked
  }
  func lower(_ unit: Unit, _ lowering: inout Lowering) throws(ComputeError) {
    lowering.sliceGradient(unit, start: start)
  }
}

extension Differentiation {
  fileprivate mutating func concatenate(_ unit: Unit, _ gradient: Int) {
    var start = 0
    for input in unit.inputs {
      let count = shape(input)[1]
      if isWanted(input) {
        let part = step(
          unit, .other(.slice(ChannelSlice(start: start, count: count))), [gradient], shape(input))
        add(part, to: input)
      }
      start += count
    }
  }
}

extension Lowering {
  /// The gradient of some of the channels, among zeros.
  fileprivate mutating func sliceGradient(_ unit: Unit, start: Int) {
    let part = value(unit.inputs[0]), whole = value(unit.output)
    let copy = ChannelCopy(
      source: part, first: 0, destination: whole, to: start, count: part.shape[1])
    kernel(unit, unit.work.name, [.value(unit.inputs[0]), .value(unit.output)]) {
      memory, workers in
      workers.split(whole.count) { range in
        unsafe (memory[1] + range.lowerBound).update(repeating: 0, count: range.count)
      }
      unsafe copy.run(memory[0], to: memory[1], workers)
    }
  }
}
