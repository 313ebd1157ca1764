@testable import AviaryGraph
import Testing

/// Nodes' attributes read from JSON that is wrong.
@Suite struct AttributeJSONTests {
  @Test func attributesOfAnotherType() {
    func node(_ members: String) -> String {
      problem(graph(#"{"name":"a","inputs":["x"],"# + members + "}"))
    }
    #expect(
      node(#""op":"convolution","kernel":3"#)
        == "a: outChannels: an integer expected, nothing found")
    #expect(
      node(#""op":"convolution","outChannels":"8","kernel":3"#)
        == #"a: outChannels: an integer expected, "8" found"#)
    #expect(
      node(#""op":"convolution","outChannels":8,"kernel":[3]"#)
        == "a: kernel: an integer or [height, width] expected, [3] found")
    #expect(
      node(#""op":"convolution","outChannels":8,"kernel":[3,null]"#)
        == "a: kernel: an integer or [height, width] expected, [3,null] found")
    #expect(
      node(#""op":"convolution","outChannels":8,"kernel":3,"padding":"valid""#)
        == #"a: padding: 'same', an integer or [top, left, bottom, right] expected, "valid" found"#)
    #expect(
      node(#""op":"convolution","outChannels":8,"kernel":3,"padding":[1,1]"#)
        == "a: padding: 'same', an integer or [top, left, bottom, right] expected, [1,1] found")
    #expect(
      node(#""op":"convolution","outChannels":8,"kernel":3,"bias":1"#)
        == "a: bias: true or false expected, 1 found")
    #expect(
      node(#""op":"pixelShuffle","factor":2,"order":"caffe""#)
        == #"a: order: one of 'pytorch', 'tensorflow' expected, "caffe" found"#)
    #expect(
      node(#""op":"resize","kernel":"bicubic","factor":2"#)
        == #"a: kernel: one of 'nearest', 'linear', 'cubic', 'lanczos' expected, "bicubic" found"#)
    #expect(
      node(#""op":"resize","kernel":"cubic","factor":2"#)
        == "a: a: a number expected, nothing found")
    #expect(
      node(#""op":"resize","kernel":"linear","a":1,"factor":2"#)
        == "a: resize has no attribute 'a' (it has kernel, factor, coordinates, edge, antialias)")
    for factor in ["0", "-1", "[1,0]", "[1,2,3]", "1.5", "5000", "9223372036854775807"] {
      #expect(
        node(#""op":"resize","kernel":"linear","factor":"# + factor)
          == "a: factor: an integer or [numerator, denominator], 1 to 4096 expected, "
          + "\(factor) found")
    }
    #expect(
      node(#""op":"scale","values":"x""#)
        == #"a: values: a number or an array of numbers expected, "x" found"#)
    #expect(
      node(#""op":"scale","values":[]"#) == "a: values: 1 to 1048576 expected, 0 found")
    #expect(
      node(#""op":"reduce","kind":"median","dimensions":[2]"#)
        == #"a: kind: one of 'mean', 'sum', 'maximum' expected, "median" found"#)
    #expect(
      node(#""op":"reduce","kind":"sum","dimensions":2"#)
        == "a: dimensions: an array of integers expected, 2 found")
    #expect(
      node(#""op":"convolution","outChannels":1e3,"kernel":3,"stride":1e300"#)
        == "a: stride: an integer or [height, width] expected, 1e+300 found")
    // Attributes are excerpted, so that a message stays a line.
    let long = node(
      #""op":"scale","values":{"k":""# + String(repeating: "x", count: 10_000) + #""}"#)
    #expect(long.utf8.count < 300)
  }

  /// Attributes on which the names of parameters depend must not trap before they are checked.
  @Test func attributesOutOfRange() {
    for dimensions in ["-1", "-9223372036854775808", "0", "9", "9223372036854775807"] {
      #expect(
        problem(
          graph(
            #"{"name":"a","op":"layerNormalization","inputs":["x"],"dimensions":\#(dimensions)}"#))
          == "a: dimensions: 1 to 8 expected, \(dimensions) found")
    }
    for number in ["-1", "-9223372036854775808", "0", "9223372036854775807"] {
      for attribute in ["outChannels", "groups", "stride", "dilation", "kernel"] {
        var members = ["outChannels": "4", "kernel": "3"]
        members[attribute] = number
        let text = members.map { "\"\($0)\":\($1)" }.joined(separator: ",")
        for op in ["convolution", "transposedConvolution"] {
          if op == "transposedConvolution", attribute == "dilation" { continue }
          #expect(
            problem(graph(#"{"name":"a","op":"\#(op)","inputs":["x"],\#(text)}"#))
              .hasPrefix("a: \(attribute): 1 to "))
        }
      }
      #expect(
        problem(graph(#"{"name":"a","op":"linear","inputs":["x"],"outFeatures":\#(number)}"#))
          == "a: outFeatures: 1 to 1048576 expected, \(number) found")
    }
  }
}
