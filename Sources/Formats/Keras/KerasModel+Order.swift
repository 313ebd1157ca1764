import AviaryGraph

extension KerasModel {
  /// The layers in the order in which a Functional model of Keras's has them once it is loaded, by
  /// which files name and order weights: those farthest from the outputs first, of equal ones those
  /// that a walk from the outputs back to the inputs meets first (keras/src/ops/function.py,
  /// `map_graph`).
  package var order: [Int] {
    var walk = Walk(model: self)
    for output in outputs { walk.visit(output) }
    var callDepths: [Call: Int] = [:]
    var depths: [Int: Int] = [:]
    for call in walk.finished.reversed() {
      let depth = max(callDepths[call] ?? 0, depths[call.layer] ?? 0)
      depths[call.layer] = depth
      callDepths[call] = depth
      for place in layers[call.layer].taken(by: call.call) {
        let source = Call(place)
        callDepths[source] = max(depth + 1, callDepths[source] ?? 0)
      }
    }
    // Inputs that nothing uses come in front of those of depth 0.
    for input in inputs where depths[input.layer] == nil {
      depths[input.layer] = 0
      walk.indices[input.layer] = -1
    }
    return depths.keys.sorted {
      let first = (-(depths[$0] ?? 0), walk.indices[$0] ?? 0, $0)
      return first < (-(depths[$1] ?? 0), walk.indices[$1] ?? 0, $1)
    }
  }

  /// A call of a layer.
  private struct Call: Hashable {
    var layer: Int
    var call: Int

    init(_ place: Place) { (layer, call) = (place.layer, place.call) }
  }

  /// A walk back from the outputs, depth first; without recursion, as networks may be deep.
  private struct Walk {
    let model: KerasModel
    /// The calls, each after those that it depends on.
    var finished: [Call] = []
    /// When each layer was met first.
    var indices: [Int: Int] = [:]
    private var seen: Set<Call> = []

    init(model: KerasModel) { self.model = model }

    mutating func visit(_ place: Place) {
      var stack: [(call: Call, next: Int)] = []
      func enter(_ call: Call, _ walk: inout Walk) {
        guard walk.seen.insert(call).inserted else { return }
        if walk.indices[call.layer] == nil { walk.indices[call.layer] = walk.indices.count }
        stack.append((call, 0))
      }
      enter(Call(place), &self)
      while let (call, next) = stack.last {
        let taken = model.layers[call.layer].taken(by: call.call)
        if next < taken.count {
          stack[stack.count - 1].next += 1
          enter(Call(taken[next]), &self)
        } else {
          finished.append(call)
          stack.removeLast()
        }
      }
    }
  }
}

extension KerasModel.Layer {
  fileprivate func taken(by call: Int) -> [KerasModel.Place] {
    calls.indices.contains(call) ? calls[call] : []
  }
}
