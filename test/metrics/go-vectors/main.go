// Prints what Go itself makes of templates and numbers: the expectations of template.test.ts and
// numbers.test.ts. Run in this folder: go run main.go > ../go-vectors.json
package main

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"strings"
	"text/template"
)

type rendered struct {
	Template string `json:"template"`
	Text     string `json:"text,omitempty"`
	Error    string `json:"error,omitempty"`
}

type printed struct {
	// The bits of the float64, because JSON has no Inf.
	Bits    string `json:"bits"`
	General string `json:"general"`
	Fixed   string `json:"fixed"`
}

var functions = template.FuncMap{
	"name":      func() string { return "cname" },
	"namespace": func() string { return "ns-1" },
	"target":    func() string { return "tgt" },
	"service":   func() string { return "svc" },
	"ingress":   func() string { return "ing" },
	"route":     func() string { return "rt" },
	"interval":  func() string { return "1m" },
	"variables": func() map[string]string {
		return map[string]string{"k1": "v1", "k2": "v2", "my-key": "dashed", "umlaut": "ä€😀", "empty": ""}
	},
}

var templates = []string{
	// Text, trimming, comments.
	"", "plain", "{{name}}", "{{ name }}", "a {{- name -}} b", "{{name}}-{{-  target -}} x", "a\n {{- name}}\n", "{{name -}}\n\n b",
	"{{/* c */}}x", "a {{- /* c */ -}} b", "{{ /* c */ }}", "{{/* c }}", "{{/* c */ x}}", "{{-name}}", "{{- name-}}", "{{ name-}}", "{{name -}}", "{{- -1 -}}", "{{-1}}", "{ {{name}} }", "{{name}}}", "}}{{name}}",
	"{{\nname\n}}", "{{`{{`}}", "{{ \"}}\" }}", "a{{/* x */ -}}  b",
	// What cannot be read.
	"{{", "{{}}", "{{ }}", "{{ name", "{{ nope }}", "{{ variables.my-key }}", "{{ name; }}", "{{ # }}", "{{ \"abc }}", "{{ `abc }}", "{{ (name }}", "{{ name) }}", "{{ : }}", "{{ \x01 }}", "{{ é }}", "{{ ä.b }}",
	"line\n{{ nope }}", "{{ name | }}", "{{ | name }}", "{{ name | \"x\" }}", "{{ name | nil }}", "{{ if }}x{{end}}", "{{ if name }}x", "{{ end }}", "{{ else }}", "{{ if name }}x{{else}}y{{else}}z{{end}}", "{{if name}}{{end}}{{end}}",
	"{{ range }}{{end}}", "{{ with }}{{end}}", "{{ break }}", "{{ continue }}", "{{ $x }}", "{{ $x = 1 }}", "{{ $x, $y := name }}", "{{ range $x, $y, $z := variables }}{{end}}", "{{ range $x, 1 := variables }}{{end}}", "{{ 1.x }}", "{{ nil.x }}", "{{ \"a\".x }}", "{{ true.x }}", "{{ \"a\"\"b\" }}", "{{ printf \"%s\"name }}", "{{ if name }}{{ else with name }}{{end}}", "{{ with name }}{{ else if name }}{{end}}", "{{ 1a }}", "{{ 0x }}", "{{ 1_000 }}", "{{ 'ab' }}", "{{ 'a }}", "{{ \"\\q\" }}", "{{ '' }}", "{{ () }}", "{{ .. }}", "{{ .a..b }}", "{{ name..x }}", "{{ name name2 }}", "{{ if name }}{{ nope }}{{end}}", "{{ if := }}{{end}}", "{{ end name }}", "{{ else name }}", "{{range name}}{{break x}}{{end}}", "{{ range variables }}{{ if . }}{{break}}{{end}}{{end}}",
	// Names.
	"{{namespace}}/{{target}}/{{service}}/{{ingress}}/{{route}}/{{interval}}", "{{ name 1 }}", "{{ 1 | name }}", "{{ namespace.x }}", "{{ name.x.y }}",
	"{{ variables }}", "{{ variables.k1 }}", "{{ variables.zz }}", "{{ variables.k1.x }}", "{{ variables.empty }}", "{{ variables.k1 1 }}", "{{ 1 | variables.k1 }}", "{{ variables.umlaut }}", "ä€ {{ variables.zz }}", "one\ntwo {{ variables.zz }}", "{{ (variables).k1 }}", "{{ (variables).zz }}", "{{ (index variables \"k1\") }}", "{{ variables .k1 }}",
	"{{ index variables \"my-key\" }}", "{{ index variables \"zz\" }}", "{{ index variables 1 }}", "{{ index variables }}", "{{ index name 0 }}", "{{ index name 9 }}", "{{ index name \"a\" }}", "{{ index 1 2 }}", "{{ index variables \"k1\" 0 }}", "{{ index }}", "{{ index nil 1 }}", "{{ variables | len }}", "{{ index name -1 }}",
	// No data.
	"{{ . }}", "{{ .Name }}", "{{ $ }}", "{{ $.Name }}", "{{ .Name.x }}", "{{ nil }}", "{{ .Name 1 }}", "{{ $.a.b }}", "{{ not . }}", "{{ eq . nil }}", "{{ print . }}", "{{ print nil }}", "{{ name | eq nil }}",
	// Literals.
	"{{ 1 }}", "{{ -1 }}", "{{ +1 }}", "{{ 1.5 }}", "{{ 1.0 }}", "{{ 1e3 }}", "{{ 1e6 }}", "{{ 0x10 }}", "{{ 010 }}", "{{ 0b11 }}", "{{ 0o17 }}", "{{ .5 }}", "{{ 'a' }}", "{{ '\\n' }}", "{{ \"a\\tb\\u00e4\\x41\" }}", "{{ `a\\tb` }}", "{{ true }}{{ false }}", "{{ 1000000 }}", "{{ 12345678.9 }}", "{{ 1 2 }}", "{{ 1 | 2 }}", "{{ \"x\" 1 }}", "{{ . 1 }}", "{{ true 1 }}", "{{ \"a\\nb\" }}", "{{ \"\\101\" }}", "{{ 9223372036854775807 }}",
	// Functions.
	"{{ print }}", "{{ print 1 2 }}", "{{ print \"a\" 1 2 \"b\" }}", "{{ print 1 true 2.5 }}", "{{ println 1 \"a\" }}", "{{ println }}", "{{ len name }}", "{{ len variables }}", "{{ len \"äb\" }}", "{{ len 1 }}", "{{ len }}", "{{ len name name }}",
	"{{ eq name \"cname\" }}", "{{ eq name \"x\" \"cname\" }}", "{{ eq name }}", "{{ eq 1 1.0 }}", "{{ eq 1 1 }}", "{{ eq name 1 }}", "{{ eq true true }}", "{{ eq variables variables }}", "{{ eq variables nil }}", "{{ ne name \"x\" }}", "{{ ne 1 2 3 }}", "{{ lt 1 2 }}", "{{ lt \"a\" \"b\" }}", "{{ lt \"a\" 1 }}", "{{ lt true false }}", "{{ le 2 2 }}", "{{ gt 1.5 1.25 }}", "{{ ge 1 2 }}", "{{ lt 1 }}", "{{ le 1 2.0 }}", "{{ gt variables variables }}", "{{ eq 'a' 97 }}",
	"{{ and true name }}", "{{ and false nope }}", "{{ and \"\" name }}", "{{ and name \"\" 1 }}", "{{ or \"\" name }}", "{{ or 0 \"\" }}", "{{ and }}", "{{ or name variables.zz }}", "{{ and name variables.zz }}", "{{ and 0 (index 1 1) }}", "{{ name | and true }}", "{{ name | or \"\" }}", "{{ not name }}", "{{ not }}", "{{ not \"\" }}", "{{ not variables }}",
	"{{ slice name 1 3 }}", "{{ slice name 1 }}", "{{ slice name }}", "{{ slice name 3 1 }}", "{{ slice name 9 }}", "{{ slice name 1 2 3 }}", "{{ slice 1 }}", "{{ html \"<a & 'b'>\" }}", "{{ urlquery \"a b&c/ä!\" }}", "{{ urlquery name 1 }}",
	// printf.
	"{{ printf \"%s/%s\" namespace name | printf \"%q\" }}", "{{ printf \"%d %v %s\" 1 2 name }}", "{{ printf \"%d\" name }}", "{{ printf \"%s\" 1 }}", "{{ printf \"%d\" 1.5 }}", "{{ printf \"%f\" 1.5 }}", "{{ printf \"%.2f|%.0f|%.0f\" 0.125 0.5 2.5 }}", "{{ printf \"%e|%E|%.2e\" 123456.789 0.00001 1.5 }}", "{{ printf \"%g|%.3g|%G|%.10g\" 1234567.0 1234567.0 0.00001 1.5 }}", "{{ printf \"%5d|%-5d|%05d|%+d|% d\" 42 42 42 42 42 }}", "{{ printf \"%5s|%-5s|%.2s|%05s\" \"ab\" \"ab\" \"abc\" \"ab\" }}", "{{ printf \"%x|%X|%b|%o|%#x\" 255 255 5 8 255 }}", "{{ printf \"%x\" \"hi\" }}", "{{ printf \"%c|%U|%q\" 97 97 97 }}", "{{ printf \"%t|%v\" true false }}", "{{ printf \"%t\" 1 }}", "{{ printf \"%d\" true }}", "{{ printf \"%%\" }}", "{{ printf \"%\" }}", "{{ printf \"%z\" 1 }}", "{{ printf \"%s\" }}", "{{ printf \"x\" 1 name }}", "{{ printf \"x\" nil }}", "{{ printf \"%v\" nil }}", "{{ printf \"%s\" nil }}", "{{ printf }}", "{{ printf 1 }}", "{{ 1 | printf }}", "{{ printf name }}", "{{ printf variables.zz }}", "{{ printf variables }}", "{{ printf \"%v|%s|%q\" variables variables variables }}", "{{ printf \"%d\" variables }}", "{{ printf \"%T %T %T %T %T\" 1 1.5 name true variables }}", "{{ printf \"%q\" \"a\\\"b\\n\\x01ä\\u200b😀\" }}", "{{ printf \"%08.3f|%+.1f|%8.2f|%-8.2f|\" 3.14159 2.0 1.5 1.5 }}", "{{ printf \"%.3d|%6.3d\" 7 7 }}", "{{ printf \"%v %v\" 1000000.0 0.00001 }}", "{{ printf \"%#v\" name }}", "{{ name | printf \"%s-%s\" target }}", "{{ printf \"%5t|\" true }}", "{{ printf \"%5q\" \"a\" }}", "{{ printf \"%+.2e\" 12345.678 }}", "{{ printf \"%f\" 1 }}", "{{ printf \"%e\" 100 }}", "{{ printf \"%v\" 1e21 }}", "{{ printf \"%.1f\" 0.25 }}", "{{ printf \"%F\" 1.5 }}", "{{ printf \"%.4v\" 3.14159 }}",
	// Control.
	"{{ if name }}y{{ else }}n{{ end }}", "{{ if \"\" }}y{{ else }}n{{ end }}", "{{ if 0 }}y{{ else if name }}m{{ else }}n{{ end }}", "{{ if 0 }}a{{ else if 0 }}b{{ else if 1 }}c{{ end }}", "{{ if variables }}y{{ end }}", "{{ if eq namespace \"ns-1\" }}yes{{end}}", "{{ if . }}y{{ else }}n{{ end }}", "{{ if 0.0 }}y{{ else }}n{{ end }}", "{{ if not (eq name \"x\") }}y{{ end }}", "{{ if and (eq name \"cname\") (ne target \"x\") }}y{{ end }}",
	"{{ with name }}[{{ . }}]{{ end }}", "{{ with \"\" }}x{{ else }}[{{ . }}]{{ end }}", "{{ with variables }}{{ .k1 }}{{ end }}", "{{ with variables }}{{ .zz }}{{ end }}", "{{ with $x := name }}{{ $x }}{{ end }}", "{{ with $x := \"\" }}a{{ else }}[{{ $x }}]{{ end }}", "{{ with \"\" }}a{{ else with name }}b{{ . }}{{ end }}", "{{ with name }}{{ $ }}{{ end }}",
	"{{ range variables }}{{ . }},{{ end }}", "{{ range $k, $v := variables }}{{ $k }}={{ $v }};{{ end }}", "{{ range $v := variables }}{{ $v }}{{ end }}", "{{ range 3 }}{{ . }}{{ end }}", "{{ range $i := 3 }}{{ $i }}{{ end }}", "{{ range $i, $j := 3 }}{{ $i }}{{ end }}", "{{ range 0 }}x{{ else }}none{{ end }}", "{{ range name }}x{{ end }}", "{{ range . }}x{{ else }}none{{ end }}", "{{ range 5 }}{{ if eq . 2 }}{{ break }}{{ end }}{{ . }}{{ end }}", "{{ range 5 }}{{ if eq . 2 }}{{ continue }}{{ end }}{{ . }}{{ end }}", "{{ range 1.5 }}{{ end }}", "{{ range true }}{{ end }}", "{{ range 2 }}{{ range 2 }}{{ . }}{{ end }}|{{ end }}", "{{ $x := 0 }}{{ range $i := 4 }}{{ $x = $i }}{{ end }}{{ $x }}", "{{ range $k, $v := variables }}{{ break }}{{ end }}ok", "{{ range -1 }}x{{ else }}none{{ end }}",
	"{{ $x := name }}{{ $x }}", "{{ $x := name }}{{ $x = target }}{{ $x }}", "{{ $x := name }}{{ if true }}{{ $x := target }}{{ $x }}{{ end }}{{ $x }}", "{{ $x := name }}{{ if true }}{{ $x = target }}{{ end }}{{ $x }}", "{{ if true }}{{ $x := 1 }}{{ end }}{{ $x }}", "{{ $x := variables }}{{ $x.k1 }}", "{{ $x := variables }}{{ $x.zz }}", "{{ $x := 1 }}{{ $x 2 }}", "{{ if $x := name }}{{ $x }}{{ end }}", "{{ $x := name | printf \"%s!\" }}{{ $x }}", "{{ $x:=1 }}{{ $x }}", "{{ $x := 1 }}{{ $x.y }}", "{{ $x := variables }}{{ 1 | $x.k1 }}", "{{ $a := 1 }}{{ $b := 2 }}{{ $a }}{{ $b }}{{ $a }}", "{{ $x := 1 }}{{ $x := 2 }}{{ $x }}", "{{ $x := (print 1) }}{{ $x }}", "{{ printf \"%d\" ($x := 1) }}",
	"{{ name | print | print }}", "{{ ((name)) }}", "{{ print (print 1 (print 2)) }}", "{{ (print name) | len }}", "{{ len (print name target) }}", "{{ index (variables) \"k2\" }}", "{{ (1).x }}", "{{ (name).x }}", "{{ print name target }}", "{{ print (1) (2) }}",
	// As users write them.
	"100 - sum(rate(istio_requests_total{reporter=\"destination\",destination_workload_namespace=\"{{ namespace }}\",destination_workload=~\"{{ target }}\",response_code!=\"404\"}[{{ interval }}])) / 100",
}

func render(source string) rendered {
	t, err := template.New("tmpl").Option("missingkey=error").Funcs(functions).Parse(source)
	if err != nil {
		return rendered{Template: source, Error: "template parsing failed: " + err.Error()}
	}
	var out strings.Builder
	if err := t.Execute(&out, nil); err != nil {
		return rendered{Template: source, Error: "template excution failed: " + err.Error()}
	}
	return rendered{Template: source, Text: out.String()}
}

func numbers() []printed {
	floats := []float64{0, math.Copysign(0, -1), 1, -1, 99, 50.5, 99.99, 98.695, 69.17, 0.125, 0.375, 0.625, 0.875, -0.125, 1.005, 2.675, 0.005, 0.015, 0.0001, 0.00001, 0.000012345, 999999, 999999.5, 1000000, 1234567, 1e20, 1e21, 1.5e300, 5e-324, 2.2250738585072014e-308, math.MaxFloat64, math.Inf(1), math.Inf(-1), math.NaN(), 1.0 / 3, 100, 123456.125, 9007199254740993, 4503599627370496.5, 1125899906842624.125, 0.995, 0.994999999999999, -0.001, -7}
	// A fixed sequence of bit patterns and of values as percents and latencies have them.
	state := uint64(42)
	for i := 0; i < 300; i++ {
		state = state*6364136223846793005 + 1442695040888963407
		if i%2 == 0 {
			floats = append(floats, math.Float64frombits(state))
		} else {
			floats = append(floats, float64(state>>40)/float64(uint64(1)<<(state%24)))
		}
	}
	var all []printed
	for _, f := range floats {
		all = append(all, printed{fmt.Sprintf("%016x", math.Float64bits(f)), fmt.Sprintf("%v", f), fmt.Sprintf("%.2f", f)})
	}
	return all
}

func main() {
	var all []rendered
	for _, source := range templates {
		all = append(all, render(source))
	}
	encoder := json.NewEncoder(os.Stdout)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", " ")
	if err := encoder.Encode(map[string]any{"templates": all, "numbers": numbers()}); err != nil {
		panic(err)
	}
}
