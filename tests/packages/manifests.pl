# Whether manifests are what their ecosystems' documents ask for: manifests.pl PACKAGE SOURCE
use strict;
use warnings;
use CPAN::Meta::YAML;
use JSON::PP;

my ($package, $source) = @ARGV;
my $failed = 0;
sub check { my ($holds, $promise) = @_; return if $holds; print "FAILED: $promise\n"; $failed = 1; }
sub text { my ($file) = @_; local $/; open my $in, '<', $file or die "$file: $!\n"; return scalar <$in>; }
my $version = qr/^\d+\.\d+\.\d+$/;

# Arduino: "Library specification", section library.properties.
my %properties = map { /^([a-z_.]+)=(.+)$/ ? ($1, $2) : die "library.properties: $_\n" } split /\n/, text("$package/library.properties");
check(defined $properties{$_}, "library.properties has $_")
  for qw(name version author maintainer sentence paragraph category url architectures);
check($properties{version} =~ $version, "library.properties: a version of three numbers");
check((grep { $_ eq $properties{category} } 'Display', 'Communication', 'Signal Input/Output', 'Sensors', 'Device Control',
  'Timing', 'Data Storage', 'Data Processing', 'Other'), "library.properties: a category that Arduino knows");
check(-f "$package/src/$properties{includes}", "library.properties: what is to be included is there");
check(!(grep { !/^(name|version|author|maintainer|sentence|paragraph|category|url|architectures|includes|depends)$/ } keys %properties),
  "library.properties: no field that Arduino does not know");

# PlatformIO: "library.json".
my $json = decode_json(text("$package/library.json"));
check($json->{name} =~ /^[a-z0-9_-]{1,50}$/, "library.json: a name");
check($json->{version} eq $properties{version}, "library.json: the same version");
check(ref $json->{keywords} eq 'ARRAY' && length $json->{description} <= 255, "library.json: keywords and a description");
check(-d "$package/$json->{build}{srcDir}" && -d "$package/$json->{build}{includeDir}", "library.json: its folders are there");
check(-f "$package/src/$_", "library.json: $_ is there") for @{$json->{headers}};

# ESP-IDF: "idf_component.yml manifest file".
my $idf = CPAN::Meta::YAML->read_string(text("$package/idf_component.yml"))->[0];
check($idf->{version} eq $properties{version}, "idf_component.yml: the same version");
check($idf->{dependencies}{idf} =~ /^>=\d/, "idf_component.yml: the IDF that it needs");
check(!(grep { !/^(version|description|url|license|dependencies)$/ } keys %$idf), "idf_component.yml: no other field");

# Zephyr: "Modules (External projects)", build files.
my $module = CPAN::Meta::YAML->read_string(text("$source/platforms/zephyr/module.yml"))->[0];
check($module->{name} eq 'popsgd', "module.yml: the name");
check(-f "$source/platforms/$module->{build}{cmake}/CMakeLists.txt", "module.yml: build.cmake is a folder with CMakeLists.txt");
check(-f "$source/platforms/$module->{build}{kconfig}", "module.yml: build.kconfig is a file");
check(!(grep { !/^(name|build)$/ } keys %$module), "module.yml: no other field");
exit $failed;
