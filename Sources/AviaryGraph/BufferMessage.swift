/// Tensors that follow from the configuration, as a plugin's library tells of them: what they are
/// calculated from where they are many, so that a mask of a million numbers is a line.
extension UnusedTensors.Buffer {
  /// The most elements of one.
  private static let limit = 1 << 28

  /// Reads what a library says.
  ///
  /// - Throws: `GraphError.member`, `.attribute`.
  init(json: JSON) throws(GraphError) {
    let part = "unused.buffer"
    let members = try Members(part, json)
    func attributes(_ name: String, _ json: JSON) -> Attributes {
      Attributes(node: part, operation: name, members: json.object ?? [:], reserved: [])
    }
    if let json = members["gather"] {
      var attributes = attributes("constantGather", json)
      let gather = try ConstantGather("constantGather", &attributes)
      try gather.check(AttributeCheck(node: part))
      self.init(gather.index)
    } else if let json = members["shiftMask"] {
      var attributes = attributes("shiftMask", json)
      let mask = try ShiftMask("shiftMask", &attributes)
      try mask.check(AttributeCheck(node: part))
      let image = try members.required("image", "two integers", Size.init(members:))
      let step = try Self.step(members, mask.window)
      guard image.height % mask.window.height == 0, image.width % mask.window.width == 0 else {
        throw .member("\(part).image", expected: "whole windows", found: "\(image)")
      }
      self.init(mask, image: image, keyStep: step)
    } else if let json = members["relativePosition"] {
      guard let window = Size(members: json) else {
        throw .member("\(part).relativePosition", expected: "two integers", found: json.excerpt)
      }
      self.init(relativePositionsOf: window, keyStep: try Self.step(members, window))
    } else {
      let element = try members.required("element", "'float32', 'int64' or 'uint8'") {
        $0.string.flatMap(Element.init)
      }
      self.init(
        try members.required("shape", "an array of integers", \.ints),
        try members.required("values", "an array of numbers", \.numbers), element)
    }
    let count = shape.reduce(1.0) { $0 * Double($1) }
    guard count <= Double(Self.limit) else {
      throw .member(part, expected: "at most \(Self.limit) elements", found: "\(count)")
    }
  }

  /// Of how many pixels of a window's row and column one is a key.
  private static func step(
    _ members: Members, _ window: Size
  ) throws(GraphError) -> Int {
    let step = try members.required("keyStep", "an integer", \.int)
    guard step > 0, window.height % step == 0, window.width % step == 0 else {
      throw .member(
        "unused.buffer.keyStep", expected: "a divisor of the window's sides", found: "\(step)")
    }
    return step
  }

  /// What a library says.
  var json: JSON {
    switch content {
    case .numbers(let values):
      [
        "shape": .ints(shape), "values": .array(values.map(JSON.number)),
        "element": .string(element.rawValue),
      ]
    case .index(let index): ["gather": .object(ConstantGather(index).attributes)]
    case .relativePosition(let window, let step):
      ["relativePosition": window.members, "keyStep": .int(step)]
    case .shiftMask(let mask, let image, let step):
      ["shiftMask": .object(mask.attributes), "image": image.members, "keyStep": .int(step)]
    }
  }
}

extension Size {
  /// Two sides of 1 to 65,536.
  fileprivate init?(members json: JSON) {
    guard let sides = json.ints, sides.count == 2, sides.allSatisfy((1...1 << 16).contains) else {
      return nil
    }
    self.init(sides[0], sides[1])
  }

  fileprivate var members: JSON { .ints([height, width]) }
}
