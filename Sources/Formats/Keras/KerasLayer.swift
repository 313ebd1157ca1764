import AviaryGraph

/// A layer of a Keras configuration.
struct KerasLayer {
  /// The name in its model.
  var name: String
  /// The class, in the spelling of Keras 2 and 3: `Conv2D` for `Convolution2D`.
  var className: String
  /// The class as the file has it, for messages.
  var statedClass: String
  /// The module of the class, where the file says it: operations and layers have classes of one
  /// name.
  var module: String
  /// Where it stands, for messages: "layer 3 of 12 of model_1".
  var place: String
  /// The names of the models that hold it and its own, joined by dots, as tensors are named.
  var fullName: String
  /// Its options.
  var config: JSON
  /// Its uses, in order.
  var calls: [KerasCall] = []
  /// Whether training changes it: said of it and of all models that hold it.
  var isTrainable: Bool
  /// The model that the layer is; nil for any other layer.
  var network: KerasNetwork?

  /// The error for what cannot be done with the layer.
  func refusal(_ why: String) -> InterchangeError {
    .layer(name, kind: statedClass, place: place, why: why)
  }

  /// Whether Keras made its kernel whole numbers with a scale.
  var isQuantized: Bool { config["dtype"]?["class_name"]?.string == "QuantizedDTypePolicy" }

  /// The error for an option that is not what it must be.
  private func unexpected(_ names: [String], _ expected: String) -> InterchangeError {
    let name = names.first { config[$0] != nil } ?? names[0]
    let found = (config[name] ?? .null).text
    let excerpt = found.utf8.count > 60 ? found.prefix(60) + "…" : found
    return refusal("\(name): expected \(expected), found \(excerpt)")
  }

  // MARK: Options

  /// The first of some options that is there and not null: versions of Keras name them differently.
  func option(_ names: [String]) -> JSON? {
    for name in names {
      if let value = config[name], value != .null { return value }
    }
    return nil
  }

  /// A word in small letters.
  func word(_ names: [String], default absent: String) throws(InterchangeError) -> String {
    guard let value = option(names) else { return absent }
    guard let text = value.string else { throw unexpected(names, "a word") }
    return text.lowercased()
  }

  /// A truth value. Old files have numbers.
  func flag(_ names: [String], default absent: Bool) throws(InterchangeError) -> Bool {
    guard let value = option(names) else { return absent }
    if let number = value.int { return number != 0 }
    guard let flag = value.bool else { throw unexpected(names, "true or false") }
    return flag
  }

  /// A number. Keras 3 may wrap it (`numpy` values).
  func number(_ names: [String], default absent: Double) throws(InterchangeError) -> Double {
    guard let value = option(names) else { return absent }
    guard let number = (value["config"]?["value"] ?? value).double, number.isFinite else {
      throw unexpected(names, "a number")
    }
    return number
  }

  /// An integer.
  func integer(
    _ names: [String], in range: ClosedRange<Int>, default absent: Int? = nil
  ) throws(InterchangeError) -> Int {
    guard let number = option(names)?.int ?? (option(names) == nil ? absent : nil),
      range.contains(number)
    else { throw unexpected(names, "\(range.lowerBound) to \(range.upperBound)") }
    return number
  }

  /// A height and a width, or one number for both.
  func size(
    _ names: [String], default absent: Size? = nil, least: Int = 1
  ) throws(InterchangeError) -> Size {
    guard let value = option(names) else {
      guard let absent else { throw unexpected(names, "a size") }
      return absent
    }
    let range = least...GraphLimits.window
    if let side = value.int, range.contains(side) { return Size(side) }
    guard let sides = value.array?.compactMap(\.int), sides.count == value.array?.count,
      sides.count == 1 || sides.count == 2, sides.allSatisfy(range.contains)
    else { throw unexpected(names, "one or two numbers of \(least) to \(GraphLimits.window)") }
    return Size(sides[0], sides[sides.count - 1])
  }

  /// What stands at the edges: one number, one an axis, or two an axis.
  func amounts(_ names: [String]) throws(InterchangeError) -> PaddingAmounts {
    let range = 0...GraphLimits.window
    let problem = unexpected(names, "one number, or one or two for both axes")
    guard let value = option(names) else { throw problem }
    if let all = value.int {
      guard range.contains(all) else { throw problem }
      return PaddingAmounts(all)
    }
    var flat: [Int] = []
    for element in value.array ?? [] {
      // Keras 1 has one flat list of four as well.
      for number in element.array ?? [element] {
        guard let number = number.int, range.contains(number) else { throw problem }
        flat.append(number)
      }
    }
    switch flat.count {
    case 2: return PaddingAmounts(flat[0], flat[1], flat[0], flat[1])
    case 4: return PaddingAmounts(flat[0], flat[2], flat[1], flat[3])
    default: throw problem
    }
  }

  /// Whether images have their channels before rows and columns; nil where the layer does not say.
  var isChannelsFirst: Bool? {
    switch (config["data_format"] ?? config["dim_ordering"])?.string {
    case "channels_first", "th", "NCHW": true
    case "channels_last", "tf", "NHWC": false
    default: nil
    }
  }

  /// How a window reaches over the edges.
  func padding() throws(InterchangeError) -> Padding {
    switch try word(["padding", "border_mode"], default: "valid") {
    case "valid": return .valid
    case "same": return .same
    case let other: throw refusal("padding '\(other)' is none of 'same' and 'valid'")
    }
  }
}
