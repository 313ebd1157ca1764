import AviaryThreads
import AviaryGraph

extension Differentiation {
  /// Operations that only move elements: the gradient is moved back, mostly by another operation of
  /// the graph.
  mutating func rearrangement(_ unit: Unit, _ op: Op, _ gradient: Int) {
    switch op {
    case .concatenate: concatenate(unit, gradient)
    case .slice(let start, _): pass(unit, .gradient(.slice(start: start)), [gradient])
    case .pixelShuffle(let factor, let order):
      pass(unit, .other(.pixelUnshuffle(factor: factor, order: order)), [gradient])
    case .pixelUnshuffle(let factor, let order):
      pass(unit, .other(.pixelShuffle(factor: factor, order: order)), [gradient])
    case .resize(let resize): pass(unit, .gradient(.resize(resize)), [gradient])
    case .pad(let edges, .zero): pass(unit, .other(.crop(edges)), [gradient])
    case .pad(let edges, let mode): pass(unit, .gradient(.pad(edges, mode)), [gradient])
    case .crop(let edges): pass(unit, .other(.pad(edges, .zero)), [gradient])
    case .reshape: pass(unit, .other(.reshape(shape(unit.inputs[0]))), [gradient])
    case .permute(let order):
      let inverse = order.indices.map { order.firstIndex(of: $0) ?? 0 }
      pass(unit, .other(.permute(inverse)), [gradient])
    case .roll(let shifts, let dimensions):
      pass(
        unit, .other(.roll(shifts: shifts.map { -$0 }, dimensions: dimensions)), [gradient])
    case .dropout:
      // The same elements are dropped: they are a function of the seed and the node.
      pass(unit, unit.work, [gradient, unit.inputs[1]])
    default: preconditionFailure("\(op.name) does more than move elements")
    }
  }

  private mutating func concatenate(_ unit: Unit, _ gradient: Int) {
    var start = 0
    for input in unit.inputs {
      let count = shape(input)[1]
      if isWanted(input) {
        let part = step(
          unit, .other(.slice(start: start, count: count)), [gradient], shape(input))
        add(part, to: input)
      }
      start += count
    }
  }
}

extension Lowering {
  /// The gradient of some of the channels, among zeros.
  mutating func sliceGradient(_ unit: Unit, start: Int) {
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

  /// What each pixel has been repeated as, together.
  mutating func padGradient(_ unit: Unit, _ edges: Edges, _ mode: PadMode) {
    let size = value(unit.output).shape
    gather(
      unit,
      rows: {
        TapLists(
          transposing: Lowering.indices(size[2], edges.top, edges.bottom, mode), inputs: size[2])
      },
      columns: {
        TapLists(
          transposing: Lowering.indices(size[3], edges.left, edges.right, mode), inputs: size[3])
      })
  }

  /// What each pixel has given to the pixels that it was interpolated to.
  mutating func resizeGradient(_ unit: Unit, _ resize: Resize) {
    let result = value(unit.inputs[0]).shape, size = value(unit.output).shape
    gather(
      unit,
      rows: {
        TapLists(transposing: PixelTaps(resize, from: size[2], to: result[2]), inputs: size[2])
      },
      columns: {
        TapLists(transposing: PixelTaps(resize, from: size[3], to: result[3]), inputs: size[3])
      })
  }

  private mutating func gather(
    _ unit: Unit, rows: @escaping () -> TapLists, columns: @escaping () -> TapLists
  ) {
    let grid = Grid(value(unit.inputs[0]).shape, unit.mode.input)
    kernel(
      unit, unit.work.name, [.value(unit.inputs[0]), .value(unit.output)],
      preparing: {
        let gradient = Interpolation(source: grid, rows: rows(), columns: columns())
        return { memory, workers in unsafe gradient.run(memory[0], to: memory[1], workers) }
      })
  }

  /// Dropout, forward and back: the seed is the second operand.
  mutating func dropout(_ unit: Unit, rate: Double) {
    let dropout = Dropout(value(unit.output), rate: rate, node: unit.name)
    kernel(
      unit, "dropout", [.value(unit.inputs[0]), .value(unit.output), .value(unit.inputs[1])]
    ) { memory, workers in
      let seed = unsafe UnsafeRawPointer(memory[2]).load(as: UInt64.self)
      unsafe dropout.run(memory[0], to: memory[1], seed: seed, workers)
    }
  }
}
