extension Graph {
  /// The versions of the JSON form that this program reads; it writes the last.
  public static let versions = 1...2

  /// Members of a node that are not its operation's attributes.
  private static let nodeMembers: Set<String> = ["name", "op", "inputs", "parameters"]

  /// The graph as JSON, the form in which it crosses to plugins and lies in checkpoints.
  ///
  /// Parameters that have their customary names (`<node>.weight`) are not written.
  public var json: JSON {
    var members: [String: JSON] = [
      "version": .int(Graph.versions.upperBound),
      "inputs": .array(
        inputs.map { input in
          var members: [String: JSON] = [
            "name": .string(input.name), "channels": .int(input.channels),
          ]
          if let size = input.size { members["size"] = .ints([size.height, size.width]) }
          return .object(members)
        }),
      "nodes": .array(nodes.map(json)),
      "outputs": .array(
        outputs.map {
          ["name": .string($0.name), "value": .string(name(ofValue: $0.value))]
        }),
    ]
    if !frozen.isEmpty { members["frozen"] = .array(frozen.sorted().map(JSON.string)) }
    if !initialValues.isEmpty {
      members["initialValues"] = .object(
        initialValues.mapValues { .array($0.map { .number(Double($0)) }) })
    }
    if !aliases.isEmpty { members["aliases"] = .object(aliases.mapValues(JSON.string)) }
    return .object(members)
  }

  private func json(_ node: Node) -> JSON {
    var members = node.op.attributes
    members["name"] = .string(node.name)
    members["op"] = .string(node.op.name)
    members["inputs"] = .array(node.inputs.map { .string(name(ofValue: $0)) })
    if node.parameters != node.customaryParameters {
      members["parameters"] = .array(node.parameters.map(JSON.string))
    }
    return .object(members)
  }

  /// Reads a graph from JSON.
  ///
  /// - Throws: `GraphError` that names the member or node: not a graph, a later version, an unknown
  ///   operation, attribute or member, a reference to nothing or forward, and all that `init`
  ///   checks.
  public init(json: JSON) throws(GraphError) {
    let top = try Members("graph", json)
    let version = try top.required("version", "an integer", \.int)
    guard Graph.versions.contains(version) else {
      throw .unsupportedVersion(version, supported: Graph.versions)
    }
    try top.refuse(allBut: [
      "version", "inputs", "nodes", "outputs", "frozen", "initialValues", "aliases",
    ])
    let inputs = try Graph.inputs(try top.required("inputs", "an array", \.array))
    let nodeList = try top.required("nodes", "an array", \.array)
    guard nodeList.count <= GraphLimits.nodes else {
      throw .limit("nodes", value: nodeList.count, limit: GraphLimits.nodes)
    }
    var names = NodeNames()
    for input in inputs { try names.define(input.name) }
    names.later = Set(nodeList.compactMap { $0["name"]?.string })
    var draft: [Node] = []
    draft.reserveCapacity(nodeList.count)
    for (position, json) in nodeList.enumerated() {
      let node = try Graph.node(json, position, names, version: version)
      try names.define(node.name)
      draft.append(node)
    }
    let outputs = try Graph.outputs(try top.required("outputs", "an array", \.array), names)
    let frozen = try top.strings("frozen") ?? []
    let initialValues = try Graph.initialValues(top["initialValues"])
    var aliases: [String: String] = [:]
    if let list = top["aliases"] {
      for (alias, name) in try Members("graph.aliases", list).all {
        guard let name = name.string else {
          throw .member("graph.aliases.\(alias)", expected: "a string", found: name.kind)
        }
        aliases[alias] = name
      }
    }
    try self.init(
      inputs: inputs, nodes: draft, outputs: outputs, frozen: Set(frozen),
      initialValues: initialValues, aliases: aliases)
  }

  private static func initialValues(_ json: JSON?) throws(GraphError) -> [String: [Float]] {
    guard let json else { return [:] }
    var result: [String: [Float]] = [:]
    for (name, values) in try Members("graph.initialValues", json).all {
      guard let numbers = values.numbers else {
        throw .member(
          "graph.initialValues.\(name)", expected: "an array of numbers", found: values.kind)
      }
      result[name] = numbers.map(Float.init)
    }
    return result
  }

  private static func inputs(_ list: [JSON]) throws(GraphError) -> [Input] {
    var inputs: [Input] = []
    for (position, json) in list.enumerated() {
      let members = try Members("graph.inputs[\(position)]", json)
      try members.refuse(allBut: ["name", "channels", "size"])
      var size: Size?
      if members["size"] != nil {
        let sides = try members.required("size", "[height, width]", \.ints)
        guard sides.count == 2 else {
          throw .member("\(members.path).size", expected: "[height, width]", found: "\(sides)")
        }
        size = Size(sides[0], sides[1])
      }
      inputs.append(
        Input(
          try members.required("name", "a string", \.string),
          channels: try members.required("channels", "an integer", \.int), size: size))
    }
    return inputs
  }

  private static func node(
    _ json: JSON, _ position: Int, _ names: NodeNames, version: Int
  ) throws(GraphError) -> Node {
    let members = try Members("graph.nodes[\(position)]", json)
    let name = try members.required("name", "a string", \.string)
    try check(name: name)
    let operation = try members.required("op", "a string", \.string)
    var attributes = Attributes(
      node: name, operation: operation, members: members.all, reserved: nodeMembers,
      version: version)
    let op = try Op(operation, &attributes)
    try attributes.finish()
    try op.checkAttributes(node: name)
    var inputs: [Int] = []
    for input in try members.strings("inputs") ?? [] {
      inputs.append(try names.value(input, for: name))
    }
    let parameters =
      try members.strings("parameters") ?? Node(name, op, inputs: []).customaryParameters
    return Node(name, op, inputs: inputs, parameters: parameters)
  }

  private static func outputs(
    _ list: [JSON], _ names: NodeNames
  ) throws(GraphError) -> [Output] {
    var outputs: [Output] = []
    for (position, json) in list.enumerated() {
      let members = try Members("graph.outputs[\(position)]", json)
      try members.refuse(allBut: ["name", "value"])
      let name = try members.required("name", "a string", \.string)
      let value = try members.required("value", "a string", \.string)
      outputs.append(Output(name, value: try names.value(value, for: "output \(name)")))
    }
    return outputs
  }
}

extension Graph.Node {
  /// What the parameters are called where nothing else is said.
  fileprivate var customaryParameters: [String] { op.slotSuffixes.map { "\(name).\($0)" } }
}

/// The names of a graph's values while it is read.
private struct NodeNames {
  private var values: [String: Int] = [:]
  /// The names of all nodes, read or not, to tell a forward reference from one to nothing.
  var later: Set<String> = []

  mutating func define(_ name: String) throws(GraphError) {
    guard values.updateValue(values.count, forKey: name) == nil else {
      throw .duplicateName(name, of: "two inputs or nodes")
    }
  }

  func value(_ name: String, for node: String) throws(GraphError) -> Int {
    if let value = values[name] { return value }
    throw later.contains(name)
      ? .refersForward(node: node, name) : .unknownValue(node: node, name)
  }
}

/// The members of an object, with the path to it for messages.
struct Members {
  let path: String
  let all: [String: JSON]

  init(_ path: String, _ json: JSON) throws(GraphError) {
    guard let members = json.object else {
      throw .member(path, expected: "an object", found: json.kind)
    }
    (self.path, all) = (path, members)
  }

  subscript(name: String) -> JSON? { all[name] }

  func required<T>(
    _ name: String, _ expected: String, _ convert: (JSON) -> T?
  ) throws(GraphError) -> T {
    guard let member = all[name] else {
      throw .member("\(path).\(name)", expected: expected, found: "nothing")
    }
    guard let value = convert(member) else {
      throw .member("\(path).\(name)", expected: expected, found: member.kind)
    }
    return value
  }

  /// An optional array of strings.
  func strings(_ name: String) throws(GraphError) -> [String]? {
    guard let member = all[name] else { return nil }
    guard let strings = member.strings else {
      throw .member("\(path).\(name)", expected: "an array of strings", found: member.kind)
    }
    return strings
  }

  /// Throws for a member that is none of these.
  func refuse(allBut known: Set<String>) throws(GraphError) {
    guard let first = all.keys.filter({ !known.contains($0) }).min() else { return }
    throw .member(
      "\(path).\(first)", expected: "only \(known.sorted().joined(separator: ", "))",
      found: "an unknown member")
  }
}
