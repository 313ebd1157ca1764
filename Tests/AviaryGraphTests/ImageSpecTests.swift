@testable import AviaryGraph
import Testing

/// How networks take and give pictures, as JSON.
@Suite struct ImageTests {
  @Test func onlyWhatIsNotTheDefaultIsWritten() throws {
    #expect(ImageSpec(.luma).json.text == #"{"colour":"luma"}"#)
    let full = ImageSpec(
      .ycbcrJPEG, range: -1...1, mean: [0.5, 0.25, 0], deviation: [1, 2, 4], output: .noise,
      enlargeFirst: .bicubic, scales: [2, 3], padding: .reflect)
    #expect(
      full.json.text
        == #"{"colour":"ycbcr-jpeg","deviation":[1,2,4],"enlargeFirst":"bicubic","#
        + #""mean":[0.5,0.25,0],"output":"noise","padding":"reflect","range":[-1,1],"scales":[2,3]}"#
    )
    #expect(try ImageSpec(json: JSON(parsing: full.json.text)) == full)
    for colour in ImageSpec.Colour.allCases {
      for output in ImageSpec.Output.allCases {
        for enlargement in ImageSpec.Enlargement.allCases {
          let picture = ImageSpec(colour, range: 0...255, output: output, enlargeFirst: enlargement)
          #expect(try ImageSpec(json: JSON(parsing: picture.json.text)) == picture)
        }
      }
    }
  }

  @Test func channels() {
    #expect(ImageSpec(channels: 1) == ImageSpec(.luma))
    #expect(ImageSpec(channels: 3) == ImageSpec(.rgb))
    #expect(ImageSpec.Colour.allCases.map(\.channels) == [3, 1, 1, 3, 3])
  }

  @Test(arguments: [
    ("[]", "picture: an object expected, an array found"),
    (
      "{}",
      "picture.colour: one of 'rgb', 'gray', 'luma', 'ycbcr', 'ycbcr-jpeg' expected, nothing found"
    ),
    (
      #"{"colour":"grey"}"#,
      "picture.colour: one of 'rgb', 'gray', 'luma', 'ycbcr', 'ycbcr-jpeg' expected, 'grey' found"
    ),
    (
      #"{"colour":1}"#,
      "picture.colour: one of 'rgb', 'gray', 'luma', 'ycbcr', 'ycbcr-jpeg' expected, an integer found"
    ),
    (
      #"{"colour":"rgb","color":"rgb"}"#,
      "picture.color: only colour, deviation, enlargeFirst, mean, output, padding, range, scales "
        + "expected, an unknown member found"
    ),
    (
      #"{"colour":"rgb","output":"image"}"#,
      "picture.output: one of 'picture', 'residual', 'noise' expected, 'image' found"
    ),
    (
      #"{"colour":"rgb","enlargeFirst":true}"#,
      "picture.enlargeFirst: one of 'no', 'bicubic' expected, a truth value found"
    ),
    (
      #"{"colour":"rgb","padding":"mirror"}"#,
      "picture.padding: one of 'edge', 'reflect', 'symmetric', 'zero' expected, 'mirror' found"
    ),
    (
      #"{"colour":"rgb","range":[1,0]}"#,
      "picture.range: [black, white], rising expected, [1.0, 0.0] found"
    ),
    (
      #"{"colour":"rgb","range":[1]}"#,
      "picture.range: [black, white], rising expected, [1.0] found"
    ),
    (
      #"{"colour":"rgb","range":255}"#, "picture.range: an array of numbers expected, 255 found"
    ),
    (
      #"{"colour":"rgb","mean":[0.5]}"#, "picture.mean: 3 numbers expected, 1 found"
    ),
    (
      #"{"colour":"luma","deviation":[1,2]}"#, "picture.deviation: 1 numbers expected, 2 found"
    ),
    (
      #"{"colour":"luma","deviation":[0]}"#,
      "picture.deviation: numbers above 0 expected, [0.0] found"
    ),
    (
      #"{"colour":"luma","mean":["0"]}"#,
      #"picture.mean: an array of numbers expected, ["0"] found"#
    ),
    (
      #"{"colour":"luma","scales":2}"#,
      "picture.scales: an array of integers from 1 to 64 expected, 2 found"
    ),
    (
      #"{"colour":"luma","scales":[2,0]}"#,
      "picture.scales: an array of integers from 1 to 64 expected, [2,0] found"
    ),
    (
      #"{"colour":"luma","scales":[2.5]}"#,
      "picture.scales: an array of integers from 1 to 64 expected, [2.5] found"
    ),
    (
      #"{"colour":"luma","scales":[9223372036854775807]}"#,
      "picture.scales: an array of integers from 1 to 64 expected, [9223372036854775807] found"
    ),
  ])
  func whatIsRefused(_ text: String, _ message: String) {
    #expect {
      try ImageSpec(json: JSON(parsing: text))
    } throws: {
      "\($0)" == message
    }
  }

  /// Ranges and means so large that their difference is not finite are no ranges.
  @Test func numbersAtTheEnd() throws {
    #expect(throws: GraphError.self) {
      try ImageSpec(json: JSON(parsing: #"{"colour":"luma","range":[0,1e999]}"#))
    }
    let wide = try ImageSpec(json: JSON(parsing: #"{"colour":"luma","range":[-1e308,1e308]}"#))
    #expect(wide.range == -1e308...1e308)
  }
}
