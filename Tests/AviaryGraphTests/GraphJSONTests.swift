@testable import AviaryGraph
import Testing

/// Graphs read from JSON that is wrong, each with the whole message.
@Suite struct GraphJSONTests {
  @Test func notAGraph() {
    #expect(problem("").hasPrefix("invalid JSON: "))
    #expect(problem("{").hasPrefix("invalid JSON: "))
    #expect(problem("[1]") == "graph: expected an object, found an array")
    #expect(problem("{}") == "graph.version: expected an integer, found nothing")
    #expect(problem(#"{"version":"1"}"#) == "graph.version: expected an integer, found a string")
    #expect(
      problem(#"{"version":3,"wonders":[]}"#)
        == "graph: expected version 1 to 2, found 3 (a newer aviary wrote it)")
    #expect(problem(#"{"version":0}"#) == "graph: expected version 1 to 2, found 0")
    #expect(
      problem(graph("", #","layers":[]"#))
        == "graph.layers: expected only aliases, frozen, initialValues, inputs, nodes, outputs, "
        + "version, found an unknown member")
    #expect(problem(#"{"version":1}"#) == "graph.inputs: expected an array, found nothing")
    #expect(
      problem(#"{"version":2,"inputs":{},"nodes":[],"outputs":[]}"#)
        == "graph.inputs: expected an array, found an object")
    #expect(
      problem(#"{"version":2,"inputs":[],"nodes":[],"outputs":[]}"#)
        == "graph: at least one input is needed; there is none")
    #expect(
      problem(graph("", outputs: "[]")) == "graph: at least one output is needed; there is none")
    #expect(problem(graph("")) == "none")
  }

  @Test func inputs() {
    func input(_ members: String) -> String {
      problem(
        #"{"version":2,"inputs":["# + members
          + #"],"nodes":[],"outputs":[{"name":"y","value":"x"}]}"#)
    }
    #expect(input("7") == "graph.inputs[0]: expected an object, found an integer")
    #expect(input("{}") == "graph.inputs[0].name: expected a string, found nothing")
    #expect(
      input(#"{"name":"x","channels":"3"}"#)
        == "graph.inputs[0].channels: expected an integer, found a string")
    #expect(
      input(#"{"name":"x","channels":2.5}"#)
        == "graph.inputs[0].channels: expected an integer, found a number")
    #expect(
      input(#"{"name":"x","channels":3,"colour":"rgb"}"#)
        == "graph.inputs[0].colour: expected only channels, name, size, found an unknown member")
    #expect(
      input(#"{"name":"x","channels":3,"size":[1]}"#)
        == "graph.inputs[0].size: expected [height, width], found [1]")
    #expect(
      input(#"{"name":"x","channels":3,"size":[1,"2"]}"#)
        == "graph.inputs[0].size: expected [height, width], found an array")
    #expect(
      input(#"{"name":"x","channels":0}"#)
        == "input x: expected channels above 0, found 0")
    #expect(
      input(#"{"name":"x","channels":3,"size":[4,0]}"#)
        == "input x: expected a size above 0, found 4x0")
    #expect(
      input(#"{"name":"x","channels":9223372036854775807}"#)
        == "x: channels: 9223372036854775807 exceeds the limit of 1048576")
    #expect(
      input(#"{"name":"x","channels":3,"size":[4294967296,1]}"#)
        == "x: size: 4294967296 exceeds the limit of 2147483647")
    #expect(
      input(#"{"name":"x","channels":3},{"name":"x","channels":3}"#)
        == "x: two inputs or nodes have this name")
    #expect(
      problem(
        #"{"version":2,"inputs":[{"name":"","channels":3}],"nodes":[],"#
          + #""outputs":[{"name":"y","value":""}]}"#)
        == "graph: at least one letter in every name is needed; there is none")
  }

  @Test func nodes() {
    #expect(problem(graph("null")) == "graph.nodes[0]: expected an object, found null")
    #expect(
      problem(graph(#"{"op":"relu"}"#)) == "graph.nodes[0].name: expected a string, found nothing")
    #expect(
      problem(graph(#"{"name":"a"}"#)) == "graph.nodes[0].op: expected a string, found nothing")
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
        == "a: maxPool has no attribute 'margin' (it has kernel, stride, padding, roundsUp)")
    #expect(
      problem(graph(#"{"name":"a","op":"relu","inputs":"x"}"#))
        == "graph.nodes[0].inputs: expected an array of strings, found a string")
    #expect(
      problem(graph(#"{"name":"a","op":"relu","inputs":[0]}"#))
        == "graph.nodes[0].inputs: expected an array of strings, found an array")
    #expect(
      problem(graph(#"{"name":"a","op":"relu"}"#)) == "a: relu: expected 1 input, found 0")
    #expect(
      problem(graph(#"{"name":"a","op":"add","inputs":["x"]}"#))
        == "a: add: expected 2 inputs, found 1")
    #expect(
      problem(graph(#"{"name":"a","op":"concatenate","inputs":[]}"#))
        == "a: concatenate: expected 1 to 1024 inputs, found 0")
    #expect(
      problem(
        graph(#"{"name":"a","op":"resize","kernel":"linear","factor":2,"inputs":["x","x"]}"#))
        == "a: resize: expected 1 input, found 2")
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
        == "graph.outputs[0].role: expected only name, value, found an unknown member")
  }

  @Test func shapesThatDoNotFit() {
    #expect(
      problem(
        graph(
          #"{"name":"a","op":"convolution","inputs":["x"],"outChannels":4,"kernel":3},"#
            + #"{"name":"b","op":"add","inputs":["x","a"]}"#))
        == "b: add: inputs of shapes [1, 3, 7680, 7680] and [1, 4, 7678, 7678] do not fit together")
    #expect(
      problem(
        graph(
          #"{"name":"a","op":"resize","kernel":"nearest","inputs":["x"],"factor":4096},"#
            + #"{"name":"b","op":"resize","kernel":"nearest","inputs":["a"],"factor":4096}"#))
        == "a: resize: shape [1, 3, 31457280, 31457280] has 2^48 elements or more")
  }

  @Test func parameters() {
    #expect(
      problem(
        graph(
          #"{"name":"a","op":"convolution","inputs":["x"],"outChannels":4,"kernel":3,"#
            + #""parameters":["w"]}"#))
        == #"a: expected parameters for ["weight", "bias"], found ["w"]"#)
    #expect(
      problem(graph(#"{"name":"a","op":"relu","inputs":["x"],"parameters":["w"]}"#))
        == #"a: expected parameters for [], found ["w"]"#)
    #expect(
      problem(
        graph(
          #"{"name":"a","op":"prelu","perChannel":true,"inputs":["x"]},"#
            + #"{"name":"b","op":"prelu","perChannel":false,"inputs":["x"],"#
            + #""parameters":["a.weight"]}"#))
        == "a.weight: its first node needs shape [3], a later one [1]")
    #expect(
      problem(
        #"{"version":2,"inputs":[{"name":"x","channels":1048576,"size":[1,1]}],"nodes":["#
          + #"{"name":"a","op":"convolution","inputs":["x"],"outChannels":1048576,"kernel":4096,"#
          + #""padding":4000}],"outputs":[{"name":"y","value":"a"}]}"#)
        == "a.weight: elements: 9223372036854775807 exceeds the limit of 281474976710655")
  }

  @Test func frozenAndAliases() {
    let prelu = #"{"name":"a","op":"prelu","perChannel":true,"inputs":["x"]}"#
    #expect(problem(graph(prelu, #","frozen":["a.weight"],"aliases":{"b":"a.weight"}"#)) == "none")
    #expect(
      problem(graph(prelu, #","frozen":["a.bias"]"#))
        == "frozen: takes 'a.bias', which is no parameter")
    #expect(
      problem(graph(prelu, #","frozen":"a.weight""#))
        == "graph.frozen: expected an array of strings, found a string")
    #expect(problem(graph(prelu, #","initialValues":{"a.weight":[1,0.5,-2]}"#)) == "none")
    #expect(
      problem(graph(prelu, #","initialValues":{"a.weight":[1,2]}"#))
        == "initialValues.a.weight: expected 3 values for shape [3], found 2")
    #expect(
      problem(graph(prelu, #","initialValues":{"a.weight":[1,2,1e39]}"#))
        == "initialValues.a.weight: expected finite values, found one that is not")
    #expect(
      problem(graph(prelu, #","initialValues":{"a.bias":[1,2,3]}"#))
        == "initialValues: takes 'a.bias', which is no parameter")
    #expect(
      problem(graph(prelu, #","initialValues":{"a.weight":1}"#))
        == "graph.initialValues.a.weight: expected an array of numbers, found an integer")
    #expect(
      problem(graph(prelu, #","aliases":{"b":"c"}"#)) == "alias b: takes 'c', which is no parameter"
    )
    #expect(
      problem(graph(prelu, #","aliases":{"a.weight":"a.weight"}"#))
        == "a.weight: a parameter and an alias have this name")
    #expect(
      problem(graph(prelu, #","aliases":{"b":1}"#))
        == "graph.aliases.b: expected a string, found an integer")
    #expect(
      problem(graph(prelu, #","aliases":["b"]"#))
        == "graph.aliases: expected an object, found an array")
  }

  @Test func limits() {
    func name(_ count: Int) -> String { String(repeating: "n", count: count) }
    #expect(problem(graph(#"{"name":"\#(name(512))","op":"relu","inputs":["x"]}"#)) == "none")
    #expect(
      problem(graph(#"{"name":"\#(name(513))","op":"relu","inputs":["x"]}"#))
        == "bytes of a name: 513 exceeds the limit of 512")
    let nodes = (0...GraphLimits.nodes).map { #"{"name":"n\#($0)","op":"relu","inputs":["x"]}"# }
    #expect(
      problem(graph(nodes.joined(separator: ","))) == "nodes: 20001 exceeds the limit of 20000")
    #expect(problem(graph(nodes.dropLast().joined(separator: ","))) == "none")
    let inputs = (0...GraphLimits.inputs).map { #"{"name":"i\#($0)","channels":1}"# }
    #expect(
      problem(
        #"{"version":2,"inputs":["# + inputs.joined(separator: ",")
          + #"],"nodes":[],"outputs":[{"name":"y","value":"i0"}]}"#)
        == "inputs: 1025 exceeds the limit of 1024")
    let many = [String](repeating: #""x""#, count: 1_025).joined(separator: ",")
    #expect(
      problem(graph(#"{"name":"a","op":"concatenate","inputs":[\#(many)]}"#))
        == "a: concatenate: expected 1 to 1024 inputs, found 1025")
    // An operation's name may be as long as a file: its nearest is not looked for.
    let op = String(repeating: "convolution", count: 100_000)
    #expect(
      problem(graph(#"{"name":"a","op":"\#(op)","inputs":["x"]}"#)).hasPrefix(
        "a: unknown operation"))
  }

  @Test func deepNesting() {
    let deep = String(repeating: "[", count: 100_000) + String(repeating: "]", count: 100_000)
    #expect(problem(deep).hasPrefix("invalid JSON: "))
    #expect(problem(graph(deep)).hasPrefix("invalid JSON: "))
  }
}
