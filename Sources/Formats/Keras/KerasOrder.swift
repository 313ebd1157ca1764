import AviaryGraph

/// The calls of a Functional model's layers in an order in which each comes after what it takes.
struct KerasOrder {
  /// One call of one layer, by position.
  struct Step: Hashable {
    var layer: Int
    var call: Int
  }

  /// The calls that the outputs depend on, inputs included.
  private(set) var steps: [Step] = []
  private let places: [String: Int]
  private let network: KerasNetwork
  /// The number of a layer's first call: Keras 2 counts that by which a nested model was made.
  private var firstCalls: [Int]

  /// Finds the order.
  ///
  /// - Throws: `InterchangeError.description` for references to what is not there, and for cycles.
  init(_ network: KerasNetwork) throws(InterchangeError) {
    self.network = network
    places = Dictionary(network.layers.enumerated().map { ($1.name, $0) }) { first, _ in first }
    firstCalls = network.layers.map { _ in 0 }
    let references = network.layers.flatMap { $0.calls.flatMap(\.references) } + network.outputs
    for reference in references {
      guard let place = places[reference.layer] else { continue }
      let layer = network.layers[place]
      // Beyond the last call, or as far as the last: counted from 1.
      if layer.network != nil, reference.call >= layer.calls.count { firstCalls[place] = 1 }
    }
    guard !network.outputs.isEmpty else {
      throw .description(part: network.name, problem: "at least one output expected, none found")
    }
    try order()
  }

  /// The call that a reference means.
  func step(_ reference: KerasReference) throws(InterchangeError) -> Step {
    guard let place = places[reference.layer] else {
      throw .description(
        part: network.name, problem: "layer \(reference.layer) expected, none found")
    }
    let layer = network.layers[place]
    let call = reference.call - firstCalls[place]
    // An input layer is called by nobody and has a value all the same.
    guard layer.calls.indices.contains(call) || call == 0 && layer.className == "InputLayer" else {
      throw .description(
        part: network.name,
        problem: "call \(reference.call) of layer \(reference.layer) expected,"
          + " \(layer.calls.count) calls found")
    }
    return Step(layer: place, call: call)
  }

  /// Depth first from the outputs, without recursion: a file may have 20 000 layers in a row.
  private mutating func order() throws(InterchangeError) {
    var isUnderWay: Set<Step> = []
    var isDone: Set<Step> = []
    let inputs = Set(network.inputs)
    for output in network.outputs {
      var stack = [(step: try step(output), next: 0)]
      if isDone.contains(stack[0].step) { continue }
      isUnderWay.insert(stack[0].step)
      while let (current, next) = stack.last {
        let layer = network.layers[current.layer]
        let isInput = inputs.contains(
          KerasReference(
            layer: layer.name, call: current.call + firstCalls[current.layer], output: 0))
        let taken =
          isInput || !layer.calls.indices.contains(current.call)
          ? [] : layer.calls[current.call].references
        guard next < taken.count else {
          stack.removeLast()
          isUnderWay.remove(current)
          if isDone.insert(current).inserted { steps.append(current) }
          continue
        }
        stack[stack.count - 1].next += 1
        let needed = try step(taken[next])
        if isDone.contains(needed) { continue }
        guard isUnderWay.insert(needed).inserted else {
          throw .description(
            part: network.name,
            problem: "layer \(network.layers[needed.layer].name) takes its own result")
        }
        stack.append((needed, 0))
      }
    }
  }
}
