import AviaryCheckpoint
import AviaryGraph
import AviaryTensor

extension TensorStep {
  /// The step as an object of one member: `{"permuted": [3, 2, 0, 1]}`.
  var json: JSON {
    func list(_ numbers: [Int]) -> JSON { .array(numbers.map(JSON.int)) }
    return switch self {
    case .permuted(let order): ["permuted": list(order)]
    case .reversed(let dimensions): ["reversed": list(dimensions)]
    case .reshaped(let from, let to): ["reshaped": ["from": list(from), "to": list(to)]]
    case .reordered(let dimension, let indices):
      ["reordered": ["dimension": .int(dimension), "indices": list(indices)]]
    case .padded(let amounts): ["padded": list(amounts)]
    case .cropped(let amounts): ["cropped": list(amounts)]
    case .converted(let from, let to):
      ["converted": ["from": .string(from.rawValue), "to": .string(to.rawValue)]]
    }
  }

  /// Reads a step; nil for anything else.
  init?(json: JSON) {
    guard let members = json.object, members.count == 1, let (name, value) = members.first else {
      return nil
    }
    func list(_ value: JSON?) -> [Int]? {
      guard let array = value?.array else { return nil }
      let numbers = array.compactMap(\.int)
      return numbers.count == array.count ? numbers : nil
    }
    func type(_ member: String) -> ElementType? {
      value[member]?.string.flatMap(ElementType.init(rawValue:))
    }
    switch name {
    case "permuted":
      guard let order = list(value) else { return nil }
      self = .permuted(order)
    case "reversed":
      guard let dimensions = list(value) else { return nil }
      self = .reversed(dimensions)
    case "reshaped":
      guard let from = list(value["from"]), let to = list(value["to"]) else { return nil }
      self = .reshaped(from: from, to: to)
    case "reordered":
      guard let dimension = value["dimension"]?.int, let indices = list(value["indices"]) else {
        return nil
      }
      self = .reordered(dimension: dimension, indices: indices)
    case "padded":
      guard let amounts = list(value) else { return nil }
      self = .padded(amounts)
    case "cropped":
      guard let amounts = list(value) else { return nil }
      self = .cropped(amounts)
    case "converted":
      guard let from = type("from"), let to = type("to") else { return nil }
      self = .converted(from: from, to: to)
    default: return nil
    }
  }
}
