@testable import AviaryGraph
import Testing

/// Graphs read from JSON that is wrong, each with the whole message.
@Suite struct GraphJSONTests {
  @Test func notAGraph() {
    #expect(problem("").hasPrefix("JSON expected: "))
    #expect(problem("{").hasPrefix("JSON expected: "))
    #expect(problem("[1]") == "graph: an object expected, an array found")
    #expect(problem("{}") == "graph.version: an integer expected, nothing found")
    #expect(problem(#"{"version":"1"}"#) == "graph.version: an integer expected, a string found")
    #expect(
      problem(#"{"version":3,"wonders":[]}"#)
        == "graph: version 1 to 2 expected, 3 found (a newer aviary wrote it)")
    #expect(problem(#"{"version":0}"#) == "graph: version 1 to 2 expected, 0 found")
    #expect(
      problem(graph("", #","layers":[]"#))
        == "graph.layers: only aliases, frozen, inputs, nodes, outputs, version expected, "
        + "an unknown member found")
    #expect(problem(#"{"version":1}"#) == "graph.inputs: an array expected, nothing found")
    #expect(
      problem(#"{"version":2,"inputs":{},"nodes":[],"outputs":[]}"#)
        == "graph.inputs: an array expected, an object found")
    #expect(
      problem(#"{"version":2,"inputs":[],"nodes":[],"outputs":[]}"#)
        == "graph: at least one input expected, none found")
    #expect(problem(graph("", outputs: "[]")) == "graph: at least one output expected, none found")
    #expect(problem(graph("")) == "none")
  }

  @Test func inputs() {
    func input(_ members: String) -> String {
      problem(
        #"{"version":2,"inputs":["# + members
          + #"],"nodes":[],"outputs":[{"name":"y","value":"x"}]}"#)
    }
    #expect(input("7") == "graph.inputs[0]: an object expected, an integer found")
    #expect(input("{}") == "graph.inputs[0].name: a string expected, nothing found")
    #expect(
      input(#"{"name":"x","channels":"3"}"#)
        == "graph.inputs[0].channels: an integer expected, a string found")
    #expect(
      input(#"{"name":"x","channels":2.5}"#)
        == "graph.inputs[0].channels: an integer expected, a number found")
    #expect(
      input(#"{"name":"x","channels":3,"colour":"rgb"}"#)
        == "graph.inputs[0].colour: only channels, name, size expected, an unknown member found")
    #expect(
      input(#"{"name":"x","channels":3,"size":[1]}"#)
        == "graph.inputs[0].size: [height, width] expected, [1] found")
    #expect(
      input(#"{"name":"x","channels":3,"size":[1,"2"]}"#)
        == "graph.inputs[0].size: [height, width] expected, an array found")
    #expect(
      input(#"{"name":"x","channels":0}"#)
        == "input x: channels above 0 expected, 0 found")
    #expect(
      input(#"{"name":"x","channels":3,"size":[4,0]}"#)
        == "input x: a size above 0 expected, 4x0 found")
    #expect(
      input(#"{"name":"x","channels":9223372036854775807}"#)
        == "x: channels: at most 1048576 expected, 9223372036854775807 found")
    #expect(
      input(#"{"name":"x","channels":3,"size":[4294967296,1]}"#)
        == "x: size: at most 2147483647 expected, 4294967296 found")
    #expect(
      input(#"{"name":"x","channels":3},{"name":"x","channels":3}"#)
        == "x: two inputs or nodes have this name")
    #expect(
      problem(
        #"{"version":2,"inputs":[{"name":"","channels":3}],"nodes":[],"#
          + #""outputs":[{"name":"y","value":""}]}"#)
        == "graph: at least one letter in every name expected, none found")
  }

  @Test func nodes() {
    #expect(problem(graph("null")) == "graph.nodes[0]: an object expected, null found")
    #expect(
      problem(graph(#"{"op":"relu"}"#)) == "graph.nodes[0].name: a string expected, nothing found")
    #expect(
      problem(graph(#"{"name":"a"}"#)) == "graph.nodes[0].op: a string expected, nothing found")
    #expect(
      problem(graph(#"{"name":"a","op":"Convolutoin","inputs":["x"]}"#))
        == "a: unknown operation 'Convolutoin' (nearest: 'convolution')")
    #expect(
      problem(graph(#"{"name":"a","op":"fourierTransform","inputs":["x"]}"#))
        == "a: unknown operation 'fourierTransform'")
    #expect(
      problem(graph(#"{"name":"a","op":"relu","inputs":["x"],"slope":1}"#))
        == "a: relu has no attribute 'slope' (it has none)")
    #expect(
      problem(graph(#"{"name":"a","op":"maxPool","inputs":["x"],"kernel":2,"margin":1}"#))
        == "a: maxPool has no attribute 'margin' (it has kernel, stride, padding)")
    #expect(
      problem(graph(#"{"name":"a","op":"relu","inputs":"x"}"#))
        == "graph.nodes[0].inputs: an array of strings expected, a string found")
    #expect(
      problem(graph(#"{"name":"a","op":"relu","inputs":[0]}"#))
        == "graph.nodes[0].inputs: an array of strings expected, an array found")
    #expect(
      problem(graph(#"{"name":"a","op":"relu"}"#)) == "a: relu: 1 input expected, 0 found")
    #expect(
      problem(graph(#"{"name":"a","op":"add","inputs":["x"]}"#))
        == "a: add: 2 inputs expected, 1 found")
    #expect(
      problem(graph(#"{"name":"a","op":"concatenate","inputs":[]}"#))
        == "a: concatenate: 1 to 1024 inputs expected, 0 found")
    #expect(
      problem(
        graph(#"{"name":"a","op":"resize","kernel":"linear","factor":2,"inputs":["x","x"]}"#))
        == "a: resize: 1 input expected, 2 found")
    #expect(
      problem(graph(#"{"name":"x","op":"relu","inputs":["x"]}"#))
        == "x: two inputs or nodes have this name")
    #expect(
      problem(
        graph(
          #"{"name":"a","op":"relu","inputs":["x"]},{"name":"a","op":"tanh","inputs":["x"]}"#))
        == "a: two inputs or nodes have this name")
  }

  @Test func references() {
    #expect(
      problem(graph(#"{"name":"a","op":"relu","inputs":["b"]}"#))
        == "a: takes 'b', which is no input or node")
    let forward =
      "which comes later or is the node itself; a graph has no cycles and lists nodes in "
      + "order of execution"
    #expect(
      problem(
        graph(
          #"{"name":"a","op":"relu","inputs":["b"]},{"name":"b","op":"relu","inputs":["x"]}"#))
        == "a: takes 'b', " + forward)
    #expect(
      problem(graph(#"{"name":"a","op":"relu","inputs":["a"]}"#)) == "a: takes 'a', " + forward)
    // A cycle of two has a forward reference in whatever order it is written.
    #expect(
      problem(
        graph(
          #"{"name":"a","op":"add","inputs":["x","b"]},{"name":"b","op":"relu","inputs":["a"]}"#))
        == "a: takes 'b', " + forward)
    #expect(
      problem(graph("", outputs: #"[{"name":"y","value":"z"}]"#))
        == "output y: takes 'z', which is no input or node")
    #expect(
      problem(graph("", outputs: #"[{"name":"y","value":"x"},{"name":"y","value":"x"}]"#))
        == "y: two outputs have this name")
    #expect(
      problem(graph("", outputs: #"[{"name":"y","value":"x","role":1}]"#))
        == "graph.outputs[0].role: only name, value expected, an unknown member found")
  }

  @Test func shapesThatDoNotFit() {
    #expect(
      problem(
        graph(
          #"{"name":"a","op":"convolution","inputs":["x"],"outChannels":4,"kernel":3},"#
            + #"{"name":"b","op":"add","inputs":["x","a"]}"#))
        == "b: add: inputs that fit together expected, [1, 3, 7680, 7680] and [1, 4, 7678, 7678] "
        + "found")
    #expect(
      problem(
        graph(
          #"{"name":"a","op":"resize","kernel":"nearest","inputs":["x"],"factor":4096},"#
            + #"{"name":"b","op":"resize","kernel":"nearest","inputs":["a"],"factor":4096}"#))
        == "a: resize: fewer than 2^48 elements expected, shape [1, 3, 31457280, 31457280] found")
  }

  @Test func parameters() {
    #expect(
      problem(
        graph(
          #"{"name":"a","op":"convolution","inputs":["x"],"outChannels":4,"kernel":3,"#
            + #""parameters":["w"]}"#))
        == #"a: parameters for ["weight", "bias"] expected, ["w"] found"#)
    #expect(
      problem(graph(#"{"name":"a","op":"relu","inputs":["x"],"parameters":["w"]}"#))
        == #"a: parameters for [] expected, ["w"] found"#)
    #expect(
      problem(
        graph(
          #"{"name":"a","op":"prelu","perChannel":true,"inputs":["x"]},"#
            + #"{"name":"b","op":"prelu","perChannel":false,"inputs":["x"],"#
            + #""parameters":["a.weight"]}"#))
        == "a.weight: shape [3] expected by its first node, [1] by a later one")
    #expect(
      problem(
        #"{"version":2,"inputs":[{"name":"x","channels":1048576,"size":[1,1]}],"nodes":["#
          + #"{"name":"a","op":"convolution","inputs":["x"],"outChannels":1048576,"kernel":4096,"#
          + #""padding":4000}],"outputs":[{"name":"y","value":"a"}]}"#)
        == "a.weight: elements: at most 281474976710655 expected, 9223372036854775807 found")
  }

  @Test func frozenAndAliases() {
    let prelu = #"{"name":"a","op":"prelu","perChannel":true,"inputs":["x"]}"#
    #expect(problem(graph(prelu, #","frozen":["a.weight"],"aliases":{"b":"a.weight"}"#)) == "none")
    #expect(
      problem(graph(prelu, #","frozen":["a.bias"]"#))
        == "frozen: takes 'a.bias', which is no parameter")
    #expect(
      problem(graph(prelu, #","frozen":"a.weight""#))
        == "graph.frozen: an array of strings expected, a string found")
    #expect(
      problem(graph(prelu, #","aliases":{"b":"c"}"#)) == "alias b: takes 'c', which is no parameter"
    )
    #expect(
      problem(graph(prelu, #","aliases":{"a.weight":"a.weight"}"#))
        == "a.weight: a parameter and an alias have this name")
    #expect(
      problem(graph(prelu, #","aliases":{"b":1}"#))
        == "graph.aliases.b: a string expected, an integer found")
    #expect(
      problem(graph(prelu, #","aliases":["b"]"#))
        == "graph.aliases: an object expected, an array found")
  }

  @Test func limits() {
    func name(_ count: Int) -> String { String(repeating: "n", count: count) }
    #expect(problem(graph(#"{"name":"\#(name(512))","op":"relu","inputs":["x"]}"#)) == "none")
    #expect(
      problem(graph(#"{"name":"\#(name(513))","op":"relu","inputs":["x"]}"#))
        == "bytes of a name: at most 512 expected, 513 found")
    let nodes = (0...GraphLimits.nodes).map { #"{"name":"n\#($0)","op":"relu","inputs":["x"]}"# }
    #expect(
      problem(graph(nodes.joined(separator: ","))) == "nodes: at most 20000 expected, 20001 found")
    #expect(problem(graph(nodes.dropLast().joined(separator: ","))) == "none")
    let inputs = (0...GraphLimits.inputs).map { #"{"name":"i\#($0)","channels":1}"# }
    #expect(
      problem(
        #"{"version":2,"inputs":["# + inputs.joined(separator: ",")
          + #"],"nodes":[],"outputs":[{"name":"y","value":"i0"}]}"#)
        == "inputs: at most 1024 expected, 1025 found")
    let many = [String](repeating: #""x""#, count: 1_025).joined(separator: ",")
    #expect(
      problem(graph(#"{"name":"a","op":"concatenate","inputs":[\#(many)]}"#))
        == "a: concatenate: 1 to 1024 inputs expected, 1025 found")
    // An operation's name may be as long as a file: its nearest is not looked for.
    let op = String(repeating: "convolution", count: 100_000)
    #expect(
      problem(graph(#"{"name":"a","op":"\#(op)","inputs":["x"]}"#)).hasPrefix(
        "a: unknown operation"))
  }

  @Test func deepNesting() {
    let deep = String(repeating: "[", count: 100_000) + String(repeating: "]", count: 100_000)
    #expect(problem(deep).hasPrefix("JSON expected: "))
    #expect(problem(graph(deep)).hasPrefix("JSON expected: "))
  }
}
