/**
 * What the process side says, in Brazilian Portuguese. Its sentences are English everywhere, on the command line and in logs, so the English one with
 * `{}` for each value is the key; values stand in the same order in both. A tidy test finds the sentences in the sources and asks for each.
 */
export const hostPtBR: Readonly<Record<string, string>> = {
  '{} is being built already; wait for it, or cancel it': '{} já está sendo compilado; espere terminar, ou cancele',
  'the history of kernels could not be read: {}': 'não foi possível ler o histórico dos kernels: {}',
  'the history of kernels could not be saved: {}': 'não foi possível salvar o histórico dos kernels: {}',
  '{} is no history of kernels any more; a new one begins with the next build or boot':
    '{} deixou de ser um histórico de kernels; um novo começa com a próxima compilação ou início',
  'the settings could not be read: {}': 'não foi possível ler as preferências: {}',
  '{} is no settings file any more; the defaults are used until a setting is changed':
    '{} deixou de ser um arquivo de preferências; valem os padrões até que uma preferência seja mudada',
  'not a kernel that can be started: this is {}': 'não é um kernel que possa ser iniciado: isto é {}',
  'too little memory: {} needs RAM up to {}, the machine has {} (try -m {}M)':
    'memória insuficiente: {} precisa de RAM até {}, a máquina tem {} (tente -m {}M)',
  'the kernel command line contains a NUL character': 'a linha de comando do kernel contém um caractere NUL',
  'the kernel command line has {} bytes, this kernel takes at most {}':
    'a linha de comando do kernel tem {} bytes, este kernel aceita no máximo {}',
  'the kernel command line': 'a linha de comando do kernel',
  'the initrd ({}) is bigger than this kernel can take below {}':
    'o initrd ({}) é maior do que este kernel aceita abaixo de {}',
  'the kernel with its initrd': 'o kernel com o initrd',
  'the kernel wants to be at {}, where the machine keeps its boot information':
    'o kernel quer ficar em {}, onde a máquina guarda as informações de boot',
  'a file compressed with {}; as an initrd it can be used as it is':
    'um arquivo comprimido com {}; como initrd pode ser usado assim',
  '{}; Longmode runs x86-64': '{}; o Longmode executa x86-64',
  'an ARM64 kernel image': 'uma imagem de kernel ARM64',
  'a RISC-V kernel image': 'uma imagem de kernel RISC-V',
  'an ARM kernel (zImage)': 'um kernel ARM (zImage)',
  'a U-Boot image (uImage) of another board': 'uma imagem U-Boot (uImage) de outra placa',
  'a device tree or U-Boot FIT image': 'uma device tree ou imagem FIT do U-Boot',
  'an initramfs (cpio archive)': 'um initramfs (arquivo cpio)',
  'an initramfs (cpio archive with checksums)': 'um initramfs (arquivo cpio com somas de verificação)',
  'an old cpio archive; Linux wants "cpio -H newc" for an initramfs':
    'um arquivo cpio antigo; para um initramfs o Linux quer "cpio -H newc"',
  'a qcow2 disk image': 'uma imagem de disco qcow2',
  'a VMware disk image (vmdk); convert it with "qemu-img convert -O qcow2"':
    'uma imagem de disco VMware (vmdk); converta com "qemu-img convert -O qcow2"',
  'a VHD disk image; convert it with "qemu-img convert -O qcow2"':
    'uma imagem de disco VHD; converta com "qemu-img convert -O qcow2"',
  'a VHDX disk image; convert it with "qemu-img convert -O qcow2"':
    'uma imagem de disco VHDX; converta com "qemu-img convert -O qcow2"',
  'a VirtualBox disk image (vdi); convert it with "qemu-img convert -O qcow2"':
    'uma imagem de disco VirtualBox (vdi); converta com "qemu-img convert -O qcow2"',
  'a disk image with a GPT partition table': 'uma imagem de disco com tabela de partições GPT',
  'a CD or DVD image (ISO 9660)': 'uma imagem de CD ou DVD (ISO 9660)',
  'an XFS file system image': 'uma imagem com sistema de arquivos XFS',
  'a Btrfs file system image': 'uma imagem com sistema de arquivos Btrfs',
  'a SquashFS file system image': 'uma imagem com sistema de arquivos SquashFS',
  'an EROFS file system image': 'uma imagem com sistema de arquivos EROFS',
  'a ZIP archive; unpack it first': 'um arquivo ZIP; descompacte primeiro',
  'a tar archive; unpack it first': 'um arquivo tar; descompacte primeiro',
  'an archive of object files or a Debian package': 'um arquivo de objetos ou um pacote Debian',
  'an empty file': 'um arquivo vazio',
  'a Linux kernel': 'um kernel Linux',
  '{}, a zImage; a BIOS is needed to start it': '{}, um zImage; é preciso uma BIOS para iniciá-lo',
  'an object file': 'um arquivo objeto',
  'a core dump': 'um core dump',
  'an ELF file for {}': 'um arquivo ELF para {}',
  'an ELF file, but {}, not a kernel': 'um arquivo ELF, mas {}, não um kernel',
  'a multiboot kernel (ELF)': 'um kernel multiboot (ELF)',
  'a Linux program, not a kernel; share its folder with the guest to run it':
    'um programa Linux, não um kernel; compartilhe a pasta com o guest para executá-lo',
  '{} ELF kernel (vmlinux)': 'kernel ELF (vmlinux), {}',
  'a 64-bit': 'de 64 bits',
  'a 32-bit': 'de 32 bits',
  'a multiboot kernel': 'um kernel multiboot',
  'an {} file system image{}': 'uma imagem com sistema de arquivos {}{}',
  'a compressed EFI kernel of another machine': 'um kernel EFI comprimido de outra máquina',
  'an EFI program, which needs UEFI firmware; choose the bzImage itself':
    'um programa EFI, que precisa de firmware UEFI; escolha o próprio bzImage',
  'a FAT file system image': 'uma imagem com sistema de arquivos FAT',
  'a disk image with an MBR partition table': 'uma imagem de disco com tabela de partições MBR',
  'an empty raw disk image': 'uma imagem de disco raw vazia',
  'a file of no kind that Longmode knows': 'um arquivo de um tipo que o Longmode não conhece',
  'does not exist': 'não existe',
  'does not exist (a part of its path is a file)': 'não existe (uma parte do caminho é um arquivo)',
  'may not be opened by this user': 'não pode ser aberto por este usuário',
  'is a folder, not a file': 'é uma pasta, não um arquivo',
  'is a symbolic link that leads back to itself': 'é um link simbólico que leva a si mesmo',
  'lies on a read-only file system': 'está num sistema de arquivos somente leitura',
  'is in use': 'está em uso',
  'cannot be opened ({})': 'não pode ser aberto ({})',
  '-kernel {}: this is {}; give a bzImage, a vmlinux or a multiboot image':
    '-kernel {}: isto é {}; indique um bzImage, um vmlinux ou uma imagem multiboot',
  'the kernel {}: this is {}; give a bzImage, a vmlinux or a multiboot image':
    'o kernel {}: isto é {}; indique um bzImage, um vmlinux ou uma imagem multiboot',
  '-drive {}: this is no qcow2 image; give format=raw': '-drive {}: não é uma imagem qcow2; use format=raw',
  'the disk {}: this is no qcow2 image; give format=raw': 'o disco {}: não é uma imagem qcow2; use format=raw',
  'there is nothing to start: give -kernel FILE (a disk alone does not start, for there is no BIOS here)':
    'não há nada para iniciar: indique -kernel ARQUIVO (um disco sozinho não inicia, pois aqui não há BIOS)',
  '-m: the initrd alone ({} bytes) is larger than the memory': '-m: só o initrd ({} bytes) já é maior que a memória',
  'memory: the initrd alone ({} bytes) is larger than the memory':
    'memória: só o initrd ({} bytes) já é maior que a memória',
  'shared folder {}: is a file, not a folder': 'pasta compartilhada {}: é um arquivo, não uma pasta',
  'shared folder {}: {}': 'pasta compartilhada {}: {}',
  'the kernel {}: {}': 'o kernel {}: {}',
  'the initrd {}: {}': 'o initrd {}: {}',
  'the disk {}: {}': 'o disco {}: {}',
  'the debugger: {}': 'o depurador: {}',
  '-gdb: port {} of 127.0.0.1 is in use; give another with -gdb tcp::PORT':
    '-gdb: a porta {} de 127.0.0.1 está em uso; indique outra com -gdb tcp::PORTA',
  'port {} of 127.0.0.1 is in use; give another with -gdb tcp::PORT':
    'a porta {} de 127.0.0.1 está em uso; indique outra com -gdb tcp::PORTA',
  'a file is missing; choose one': 'falta um arquivo; escolha um',
  'a path with a zero byte': 'um caminho com um byte zero',
  'a serial number has up to 20 characters': 'um número de série tem até 20 caracteres',
  'a mount tag has 1 to 31 bytes and no blanks; choose another one':
    'uma etiqueta de montagem tem de 1 a 31 bytes e nenhum espaço; escolha outra',
  'the machine needs a name': 'a máquina precisa de um nome',
  'memory is a whole number of MiB': 'a memória é um número inteiro de MiB',
  'at least {} MiB of memory': 'pelo menos {} MiB de memória',
  'at most {} MiB of memory': 'no máximo {} MiB de memória',
  'at most {} bytes can be read at once': 'no máximo {} bytes podem ser lidos de uma vez',
  'at most {} bytes can be written at once': 'no máximo {} bytes podem ser gravados de uma vez',
  'nothing was written: 0x{} is {}': 'nada foi gravado: 0x{} está {}',
  'a search is for 1 to {} bytes': 'uma busca é por 1 a {} bytes',
  'there is no register {}': 'não existe o registrador {}',
  '{} cannot be changed from outside': '{} não pode ser mudado de fora',
  '{} has {} bits; the value does not fit': '{} tem {} bits; o valor não cabe',
  "the share does without libc's calls (no special files, extended attributes, host locks): {}":
    'o compartilhamento funciona sem as chamadas da libc (sem arquivos especiais, atributos estendidos, travas do host): {}',
  'The system allows no more watched folders, so changes made on the host are not listed here. ':
    'O sistema não permite observar mais pastas, então mudanças feitas neste computador não aparecem aqui. ',
  'The guest sees them all the same. To list them: sudo sysctl fs.inotify.{}':
    'O guest as vê mesmo assim. Para listá-las: sudo sysctl fs.inotify.{}',
  'Changes made on the host cannot be listed: {}': 'Não é possível listar mudanças feitas neste computador: {}',
  'the program {} is not installed': 'o programa {} não está instalado',
  'the program {} cannot be started: {}': 'o programa {} não pode ser iniciado: {}',
  "{} does not exist; name the folder of a kernel's sources":
    '{} não existe; indique a pasta com os fontes de um kernel',
  '{} is no Linux kernel tree (it has no {}); name the folder that make runs in':
    '{} não é uma árvore do kernel Linux (falta {}); indique a pasta em que o make é executado',
  'VERSION in its Makefile': 'VERSION no Makefile',
  'the CPU has no feature {}': 'a CPU não tem o recurso {}',
  'the machine has ended': 'a máquina terminou',
  "the machine's disks and shared folders stopped without saying why; this is a fault of Longmode":
    'os discos e pastas compartilhadas da máquina pararam sem dizer por quê; é uma falha do Longmode',
  'the machine stopped without saying why; this is a fault of Longmode':
    'a máquina parou sem dizer por quê; é uma falha do Longmode',
  'the machine stopped: {}': 'a máquina parou: {}',
  'the engine is missing from this installation (src-main/workers/vcpu.ts)':
    'falta o motor nesta instalação (src-main/workers/vcpu.ts)',
  'the machine ran out of host memory': 'a memória deste computador acabou para a máquina',
  'the machine stopped by a fault of Longmode: {}': 'a máquina parou por uma falha do Longmode: {}',
  '{} while the machine runs is not possible; pause it first':
    '{} com a máquina em execução não é possível; pause-a primeiro',
  'changing a register': 'mudar um registrador',
  'a step is 1 to {} instructions': 'um passo tem de 1 a {} instruções',
  'a breakpoint of this kind covers 1 to {} bytes': 'uma parada deste tipo cobre de 1 a {} bytes',
  'there are {} breakpoints already': 'já há {} paradas',
  'cannot read the {} {}: {}': 'não foi possível ler o {} {}: {}',
  'this computer cannot give the machine {} MiB of memory; ask for less with -m':
    'este computador não consegue dar {} MiB de memória à máquina; peça menos com -m',
  'the disks did not answer before the reset': 'os discos não responderam antes do reset',
  'the machine is running already': 'a máquina já está em execução',
  'the window crashed ({}) and was loaded again; the machines went on':
    'a janela caiu ({}) e foi carregada de novo; as máquinas continuaram',
  '{} does not exist any more': '{} não existe mais',
  '{} could not be opened: {}': 'não foi possível abrir {}: {}',
  '{} has no such kernel any more; look again': '{} não tem mais esse kernel; procure de novo',
  'the kernel of {} could not be copied out: {}': 'não foi possível copiar o kernel de {}: {}',
  'is a file, not a folder': 'é um arquivo, não uma pasta',
  '{} {}; choose another folder': '{} {}; escolha outra pasta',
  'cannot be listed ({})': 'não pode ser listada ({})',
  'a device, pipe or socket, not a file': 'um dispositivo, pipe ou socket, não um arquivo',
  'a file that does not exist': 'um arquivo que não existe',
  'a file that cannot be read ({})': 'um arquivo que não pode ser lido ({})',
  'the source tree of Linux {}': 'a árvore de fontes do Linux {}',
  'a folder, to be shared with the guest': 'uma pasta, a ser compartilhada com o guest',
  '{} is {}; it cannot be used as {}': '{} é {}; não pode ser usado como {}',
  '{} is not used: {} is the {} already': '{} não é usado: {} já é o {}',
  '{} is {}; Longmode cannot use it': '{} é {}; o Longmode não pode usá-lo',
  '{} is not used: there are four places for disks': '{} não é usado: há quatro lugares para discos',
  'too many files at once; wait until the others are here': 'arquivos demais de uma vez; espere os outros chegarem',
  'there is not enough room for {} in {}; free some, or choose the file by its path':
    'não há espaço para {} em {}; libere espaço, ou escolha o arquivo pelo caminho',
  '{} is longer than it said; drop it again': '{} é maior do que dizia; solte-o de novo',
  '{} could not be stored: {}': 'não foi possível guardar {}: {}',
  '{} came incomplete; drop it again': '{} chegou incompleto; solte-o de novo',
  'this upload has ended; drop the file again': 'este envio terminou; solte o arquivo de novo',
  'pieces of an upload must come one after the other; drop the file again':
    'as partes de um envio devem vir em ordem; solte o arquivo de novo',
  'there is no command line yet; paste one that begins with qemu-system-x86_64':
    'ainda não há linha de comando; cole uma que comece com qemu-system-x86_64',
  '-{} describes no machine; paste the whole command': '-{} não descreve uma máquina; cole o comando inteiro',
  "the serial port goes to this window's console instead of {}":
    'a porta serial vai para o console desta janela em vez de {}',
  '{} does not exist on this computer; choose the right file':
    '{} não existe neste computador; escolha o arquivo certo',
  'this machine has no such share any more': 'esta máquina não tem mais esse compartilhamento',
  '{} is no folder; choose another one': '{} não é uma pasta; escolha outra',
  '{} is running; end it first, then delete it': '{} está em execução; encerre-a primeiro, depois apague',
  '{} is running already': '{} já está em execução',
  '{} is not running; start it first': '{} não está em execução; inicie-a primeiro',
  'this machine is not in the library any more': 'esta máquina não está mais na biblioteca',
  'the machine could not be saved in {}: {}': 'não foi possível salvar a máquina em {}: {}',
  'the machine does not run yet; wait a moment': 'a máquina ainda não está em execução; espere um momento',
  'the machine could not be started by a fault of Longmode: {}':
    'a máquina não pôde ser iniciada por uma falha do Longmode: {}',
  'the machine ended before it ran': 'a máquina terminou antes de começar',
  'a file of a newer version of Longmode': 'um arquivo de uma versão mais nova do Longmode',
  '{} is not a machine that can be read: {}': '{} não é uma máquina que possa ser lida: {}',
  '{} cannot be opened: {}': '{} não pode ser aberto: {}',
  'the file became shorter while it was read': 'o arquivo ficou menor enquanto era lido',
  '{}: {}; choose a vmlinux or System.map': '{}: {}; escolha um vmlinux ou System.map',
  'there is no file manager to open here; the place is {}':
    'não há aqui um gerenciador de arquivos para abrir; o lugar é {}',
  'a browser has no file dialog for this computer; choose the file in the list':
    'um navegador não tem diálogo de arquivos deste computador; escolha o arquivo na lista',
  'no editor is chosen yet; set its command in the settings, such as: code -g {file}:{line}':
    'nenhum editor foi escolhido ainda; indique o comando nas preferências, por exemplo: code -g {file}:{line}',
  'the editor could not be started: {}; look at its command in the settings':
    'não foi possível iniciar o editor: {}; confira o comando nas preferências',
  'the settings hold until the program ends, for they could not be saved: {}':
    'as preferências valem até o programa terminar, pois não puderam ser salvas: {}',
  'Longmode opens only pages that it knows; open {} in your browser yourself':
    'o Longmode só abre páginas que conhece; abra {} você mesmo no navegador',
  '{} could not be written: {}': 'não foi possível gravar {}: {}',
  'the disk is full; make room and try again': 'o disco está cheio; libere espaço e tente de novo',
  'the disk quota of this user is used up; make room and try again':
    'a cota de disco deste usuário acabou; libere espaço e tente de novo',
  'the folder does not exist; choose another one': 'a pasta não existe; escolha outra',
  'this user may not write there; choose another folder': 'este usuário não pode gravar ali; escolha outra pasta',
  'that file system is read-only; choose another folder':
    'esse sistema de arquivos é somente leitura; escolha outra pasta',
  'that is a folder; choose another name': 'isso é uma pasta; escolha outro nome',
  'the name is too long; choose a shorter one': 'o nome é longo demais; escolha um mais curto',
  'the tree has changed since the diff was made; look at the new one first':
    'a árvore mudou desde que o diff foi feito; veja o novo primeiro',
  '{} has no bzImage yet; build it first': '{} ainda não tem bzImage; compile primeiro',
  'not an ELF file': 'não é um arquivo ELF',
  'an ELF file of another kind of machine; Longmode runs x86-64':
    'um arquivo ELF de outro tipo de máquina; o Longmode executa x86-64',
  'an ELF file with too many program headers': 'um arquivo ELF com cabeçalhos de programa demais',
  'an ELF file with a damaged header': 'um arquivo ELF com cabeçalho danificado',
  'an ELF file with a segment that is bigger in the file than in memory':
    'um arquivo ELF com um segmento maior no arquivo que na memória',
  'the ELF file is cut off: a part that its header names is missing':
    'o arquivo ELF está cortado: falta uma parte que o cabeçalho indica',
  'an ELF file, but not an executable (an object file or a core dump?)':
    'um arquivo ELF, mas não executável (um arquivo objeto ou core dump?)',
  'the PVH start information does not fit its place': 'as informações de início PVH não cabem no seu lugar',
  'the boot information': 'as informações de boot',
  'an ELF file without anything to load': 'um arquivo ELF sem nada para carregar',
  'an ELF file whose entry point 0x{} is not in what it loads':
    'um arquivo ELF cujo ponto de entrada 0x{} não está no que ele carrega',
  'not a Linux kernel image (no boot sector with "HdrS")':
    'não é uma imagem de kernel Linux (sem setor de boot com "HdrS")',
  'the kernel image is cut off or damaged: its setup header is incomplete':
    'a imagem do kernel está cortada ou danificada: o cabeçalho de setup está incompleto',
  'boot protocol {} is too old': 'o protocolo de boot {} é antigo demais',
  'the kernel image is cut off: {} bytes of about {}': 'a imagem do kernel está cortada: {} bytes de cerca de {}',
  'a zImage needs a BIOS to start it: build a bzImage instead':
    'um zImage precisa de uma BIOS para iniciar: compile um bzImage',
  'the kernel prefers to be loaded at {}, above 4 GiB': 'o kernel prefere ser carregado em {}, acima de 4 GiB',
  'the kernel asks to be loaded below 1 MiB': 'o kernel pede para ser carregado abaixo de 1 MiB',
  'the boot parameters': 'os parâmetros de boot',
  'the page tables': 'as tabelas de páginas',
  'the multiboot kernel requires features that Longmode lacks (flags {})':
    'o kernel multiboot exige recursos que o Longmode não tem (flags {})',
  'the multiboot header has load addresses that do not fit the file':
    'o cabeçalho multiboot tem endereços de carga que não cabem no arquivo',
  'the multiboot image is shorter than its header says': 'a imagem multiboot é menor do que diz o cabeçalho',
  'the multiboot image has neither load addresses nor an ELF header':
    'a imagem multiboot não tem endereços de carga nem cabeçalho ELF',
  'a multiboot image of another kind of machine; Longmode runs x86-64':
    'uma imagem multiboot de outro tipo de máquina; o Longmode executa x86-64',
  'the multiboot information does not fit': 'as informações multiboot não cabem',
  'this did not work because of a fault of Longmode: {}': 'isto não funcionou por uma falha do Longmode: {}',
  'the connection to Longmode was lost; reload the window to go on':
    'a conexão com o Longmode foi perdida; recarregue a janela para continuar',
  'a path is missing': 'falta um caminho',
  'the files themselves': 'os próprios arquivos',
  'a disk is whole 512-byte sectors': 'um disco são setores inteiros de 512 bytes',
  'a name of small letters, digits and _': 'um nome de letras minúsculas, dígitos e _',
  'a system call has six parameters at most': 'uma chamada de sistema tem no máximo seis parâmetros',
  'a disk of 256 MiB at least': 'um disco de pelo menos 256 MiB',
  'names of packages': 'nomes de pacotes',
  'a host name': 'um nome de host',
  'the ELF file is shorter than it says': 'o arquivo ELF é menor do que diz',
  'an ELF file of another machine': 'um arquivo ELF de outra máquina',
  'the ELF file has no sections': 'o arquivo ELF não tem seções',
  'the ELF file has no symbols (it was stripped)': 'o arquivo ELF não tem símbolos (foram removidos com strip)',
  'neither an ELF file nor a list of symbols such as System.map':
    'nem um arquivo ELF nem uma lista de símbolos como System.map',
  'all addresses are zero; read /proc/kallsyms as root': 'todos os endereços são zero; leia /proc/kallsyms como root',
  "the default guest is made with Debian's tools, and this computer has no {}; give a kernel of your own with -kernel":
    'o guest padrão é feito com as ferramentas do Debian, e este computador não tem {}; indique um kernel seu com -kernel',
  "apt knows no package {}; type: sudo apt-get update, then start again (Debian's package lists are needed)":
    'o apt não conhece o pacote {}; digite: sudo apt-get update, depois inicie de novo (as listas de pacotes do Debian são necessárias)',
  "cannot download Debian's package {}: {}": 'não foi possível baixar o pacote {} do Debian: {}',
  'cannot unpack {}: {}': 'não foi possível descompactar {}: {}',
  "making the default guest, once: looking for Debian's kernel":
    'criando o guest padrão, uma única vez: procurando o kernel do Debian',
  'making the default guest, once: downloading {} ({} MB)':
    'criando o guest padrão, uma única vez: baixando {} ({} MB)',
  'making the default guest: downloading {}': 'criando o guest padrão: baixando {}',
  'making the default guest: unpacking': 'criando o guest padrão: descompactando',
  'making the default guest: packing its initramfs': 'criando o guest padrão: empacotando o initramfs',
  'the kernel package has no module {}': 'o pacote do kernel não tem o módulo {}',
  'the host reports an input/output error': 'o computador relata um erro de entrada/saída',
  'the host has no more space': 'o computador não tem mais espaço',
  'it may not be written': 'não pode ser gravado',
  'it is too small': 'é pequeno demais',
  'The copy was cancelled.': 'A cópia foi cancelada.',
  'reading the image failed': 'a leitura da imagem falhou',
  'writing the image failed': 'a gravação da imagem falhou',
  'A disk of {} bytes cannot be made.': 'Não é possível criar um disco de {} bytes.',
  'A raw image cannot lie on top of another; give the format qcow2.':
    'Uma imagem raw não pode ficar sobre outra; use o formato qcow2.',
  '{} cannot be written: {}.': '{} não pode ser gravado: {}.',
  'cannot be made: {}': 'não pode ser criado: {}',
  'The clusters of a qcow2 image have 512 bytes to 2 MiB, a power of two.':
    'Os clusters de uma imagem qcow2 têm de 512 bytes a 2 MiB, uma potência de dois.',
  'A qcow2 image of {} bytes needs larger clusters.': 'Uma imagem qcow2 de {} bytes precisa de clusters maiores.',
  '{} is neither a file nor a block device.': '{} não é um arquivo nem um dispositivo de blocos.',
  'may not be opened by you': 'não pode ser aberta por você',
  'is on a read-only file system': 'está num sistema de arquivos somente leitura',
  'is a folder, not a disk image': 'é uma pasta, não uma imagem de disco',
  'Disk image {} {}.': 'A imagem de disco {} {}.',
  'Disk image {} is in use by another virtual machine or program.':
    'A imagem de disco {} está em uso por outra máquina virtual ou programa.',
  'Disk image {} lies on top of more than {} others.': 'A imagem de disco {} está sobre mais de {} outras.',
  'NTFS or exFAT': 'NTFS ou exFAT',
  'Linux root (x86-64)': 'raiz do Linux (x86-64)',
  'Linux boot (extended boot loader)': 'boot do Linux (extended boot loader)',
  '{} is no overlay.': '{} não é uma camada de proteção.',
  '{} is no overlay: it does not lie on another image.':
    '{} não é uma camada de proteção: não está sobre outra imagem.',
  '{} is smaller than its overlay, and Longmode does not make it larger.':
    '{} é menor que sua camada de proteção, e o Longmode não a aumenta.',
  'writing the image below failed': 'a gravação da imagem de baixo falhou',
  'reading the overlay failed': 'a leitura da camada de proteção falhou',
  '{}/.config is not for x86; make one with "longmode kernel config recipe tutorial"':
    '{}/.config não é para x86; crie uma com "longmode kernel config recipe tutorial"',
  "{} has no Makefile; a module's is one line: obj-m += hello.o":
    '{} não tem Makefile; o de um módulo é uma linha: obj-m += hello.o',
  'this kernel loads no modules (CONFIG_MODULES is n); "longmode kernel config recipe tutorial" makes one that does':
    'este kernel não carrega módulos (CONFIG_MODULES é n); "longmode kernel config recipe tutorial" cria um que carrega',
  'what modules may call (make modules)': 'o que módulos podem chamar (make modules)',
  'generated headers and helper programs': 'cabeçalhos gerados e programas auxiliares',
  'looking for objects that the edited headers cannot change':
    'procurando objetos que os cabeçalhos editados não podem mudar',
  'linking {}': 'linkeditando {}',
  built: 'compilado',
  cancelled: 'cancelado',
  failed: 'falhou',
  'links it': 'faz a linkedição',
  'reads Kconfig': 'lê o Kconfig',
  'installs modules': 'instala módulos',
  prototype: 'protótipo',
  'the code': 'o código',
  'generic number': 'número genérico',
  'make could not make {}': 'o make não conseguiu fazer {}',
  'SYSCALL_DEFINEn comes from <linux/syscalls.h>; n is the number of parameters, and each is a type and a name with a comma between them: "void __user *, src"':
    'SYSCALL_DEFINEn vem de <linux/syscalls.h>; n é o número de parâmetros, e cada um é um tipo e um nome separados por vírgula: "void __user *, src"',
  'since 5.7 the third column of syscall_64.tbl is sys_NAME, without __x64_: the build adds that itself':
    'desde a 5.7 a terceira coluna de syscall_64.tbl é sys_NOME, sem __x64_: a compilação acrescenta isso sozinha',
  'the system-call table names a call that nothing defines: is its source in a Makefile (obj-y += …), and does SYSCALL_DEFINE have the same name?':
    'a tabela de chamadas nomeia uma chamada que ninguém define: o fonte está num Makefile (obj-y += …), e SYSCALL_DEFINE tem o mesmo nome?',
  'the linker finds no definition of this symbol: is the source that defines it in a Makefile, and is its CONFIG_ option on?':
    'o linker não acha a definição deste símbolo: o fonte que o define está num Makefile, e a opção CONFIG_ está ligada?',
  'two sources define the same symbol: make one of them static, or remove it':
    'dois fontes definem o mesmo símbolo: torne um deles static, ou remova-o',
  'the compiler does not know this function: include the header that declares it (copy_from_user: <linux/uaccess.h>, kmalloc: <linux/slab.h>), or correct its name':
    'o compilador não conhece esta função: inclua o cabeçalho que a declara (copy_from_user: <linux/uaccess.h>, kmalloc: <linux/slab.h>), ou corrija o nome',
  'the same function is declared in two ways: the prototype in include/linux/syscalls.h and the definition have to agree':
    'a mesma função é declarada de duas formas: o protótipo em include/linux/syscalls.h e a definição devem concordar',
  'libelf is missing (Debian: libelf-dev, Fedora: elfutils-libelf-devel); "longmode kernel doctor" names the command':
    'falta a libelf (Debian: libelf-dev, Fedora: elfutils-libelf-devel); "longmode kernel doctor" diz o comando',
  'openssl\'s headers are missing (Debian: libssl-dev, Fedora: openssl-devel); "longmode kernel doctor" names the command':
    'faltam os cabeçalhos do openssl (Debian: libssl-dev, Fedora: openssl-devel); "longmode kernel doctor" diz o comando',
  'a program that the build uses is not installed; "longmode kernel doctor" names the command that installs it':
    'um programa que a compilação usa não está instalado; "longmode kernel doctor" diz o comando que o instala',
  'this header does not exist for this kernel: check its name and its <linux/…> or <asm/…> part':
    'este cabeçalho não existe neste kernel: confira o nome e a parte <linux/…> ou <asm/…>',
  "the .config is a distribution's and wants its signing keys: scripts/config --disable SYSTEM_TRUSTED_KEYS --disable SYSTEM_REVOCATION_KEYS":
    'a .config é de uma distribuição e quer suas chaves de assinatura: scripts/config --disable SYSTEM_TRUSTED_KEYS --disable SYSTEM_REVOCATION_KEYS',
  'a Makefile names a file that is not there: correct the name in obj-y, or make the source':
    'um Makefile nomeia um arquivo que não está lá: corrija o nome em obj-y, ou crie o fonte',
  'Kconfig does not know this word here: bool, tristate, depends on, default … are they spelled right?':
    'o Kconfig não conhece esta palavra aqui: bool, tristate, depends on, default … estão escritas certo?',
  "a Makefile's command lines begin with a tab, not with blanks":
    'as linhas de comando de um Makefile começam com tab, não com espaços',
  'a build with O= needs a tree that nobody built in: run "make mrproper" in it (this removes its .config and objects)':
    'uma compilação com O= precisa de uma árvore em que ninguém compilou: execute "make mrproper" nela (isso remove a .config e os objetos)',
  'there is no configuration yet: "longmode kernel config recipe tutorial"':
    'ainda não há configuração: "longmode kernel config recipe tutorial"',
  'a bracket that was opened is not closed: is a } missing?':
    'uma chave ou parêntese aberto não foi fechado: falta um }?',
  'something is missing here or just before: a semicolon, a comma, a bracket':
    'falta algo aqui ou logo antes: um ponto e vírgula, uma vírgula, um parêntese',
  'this name is not declared: is it spelled right, and is its header included?':
    'este nome não foi declarado: está escrito certo, e o cabeçalho foi incluído?',
  'this is defined twice: was the patch applied two times, or does the header lack its #ifndef guard?':
    'isto está definido duas vezes: o patch foi aplicado duas vezes, ou o cabeçalho não tem a guarda #ifndef?',
  'one way through this function ends without "return"; a system call returns 0, a number, or an error like -EINVAL':
    'um caminho desta função termina sem "return"; uma chamada de sistema devolve 0, um número, ou um erro como -EINVAL',
  'copy_from_user and copy_to_user return how many bytes they could not copy: if it is not 0, the call returns -EFAULT':
    'copy_from_user e copy_to_user devolvem quantos bytes não conseguiram copiar: se não for 0, a chamada devolve -EFAULT',
  'a number stands where an address is expected, or an address of another kind: are the arguments in the right order?':
    'há um número onde se espera um endereço, ou um endereço de outro tipo: os argumentos estão na ordem certa?',
  'a number stands twice in the system-call table, or out of order: take the next free one':
    'um número está duas vezes na tabela de chamadas, ou fora de ordem: use o próximo livre',
  "this warning counts as an error, by the kernel's own choice or by CONFIG_WERROR: correct the code":
    'este aviso conta como erro, por escolha do próprio kernel ou por CONFIG_WERROR: corrija o código',
  'the disk is full: a kernel with debug information needs 10 GB and more':
    'o disco está cheio: um kernel com informações de depuração precisa de 10 GB ou mais',
  'the compiler was ended, usually because memory ran out: build with fewer jobs (--jobs 1)':
    'o compilador foi encerrado, em geral porque faltou memória: compile com menos tarefas (--jobs 1)',
  'a __user pointer is used as a kernel pointer, or the other way round':
    'um ponteiro __user é usado como ponteiro do kernel, ou o contrário',
  'there is no recipe "{}"; there are: {}': 'não existe a receita "{}"; existem: {}',
  '{} has no .config yet; make one with "longmode kernel config recipe tutorial"':
    '{} ainda não tem .config; crie uma com "longmode kernel config recipe tutorial"',
  '{} was cancelled': '{} foi cancelado',
  '{} did not succeed: {}': '{} não deu certo: {}',
  'the fragment {} does not exist': 'o fragmento {} não existe',
  'these recipes only add to a configuration, and {} has none; name tiny or tutorial in front of them':
    'estas receitas só acrescentam a uma configuração, e {} não tem nenhuma; indique tiny ou tutorial antes delas',
  "it is a module: without its modules on the guest's disk (make modules_install) or in the initrd, ":
    'é um módulo: sem os módulos no disco do guest (make modules_install) ou no initrd, ',
  "it is a module: without its modules on the guest's disk (make modules_install) or in the initrd, {}":
    'é um módulo: sem os módulos no disco do guest (make modules_install) ou no initrd, {}',
  'the virtio disk': 'o disco virtio',
  'the share {}': 'o compartilhamento {}',
  'the entropy device': 'o dispositivo de entropia',
  '"VFS: Cannot open root device" and "Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)"':
    '"VFS: Cannot open root device" e "Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)"',
  '"mount: unknown filesystem type \'9p\'"; a line in fstab for it ends in emergency mode':
    '"mount: unknown filesystem type \'9p\'"; uma linha no fstab para isso termina no modo de emergência',
  'a 32-bit kernel cannot run the 64-bit programs of the disk: "Failed to execute /sbin/init (error -8)"':
    'um kernel de 32 bits não executa os programas de 64 bits do disco: "Failed to execute /sbin/init (error -8)"',
  'the kernel prints nothing at all, and dmesg is empty': 'o kernel não imprime nada, e o dmesg fica vazio',
  'the console stays dark: not one line of the kernel, no login':
    'o console fica escuro: nenhuma linha do kernel, nenhum login',
  '"Kernel panic - not syncing: No working init found."': '"Kernel panic - not syncing: No working init found."',
  'scripts that begin with #! end with "Exec format error"; an initramfs whose /init is a script stops':
    'scripts que começam com #! terminam com "Exec format error"; um initramfs cujo /init é um script para',
  'disks and shares': 'discos e compartilhamentos',
  '64-bit programs': 'programas de 64 bits',
  '32-bit programs': 'programas de 32 bits',
  messages: 'mensagens',
  'every program': 'todo programa',
  scripts: 'scripts',
  poweroff: 'desligar',
  users: 'usuários',
  'the C library': 'a biblioteca C',
  terminals: 'terminais',
  interrupts: 'interrupções',
  'no disk and no share is found: {}': 'nenhum disco e nenhum compartilhamento é encontrado: {}',
  '"reboot: Power down" is printed, and then the machine goes on for ever':
    '"reboot: Power down" é impresso, e depois a máquina continua para sempre',
  'every process is root; login and su end with "Function not implemented"':
    'todo processo é root; login e su terminam com "Function not implemented"',
  'the IDE disk (PIIX3) is not found: {}': 'o disco IDE (PIIX3) não é encontrado: {}',
  'no virtio device is found: "9pnet_virtio: no channels available for device", no /dev/vda':
    'nenhum dispositivo virtio é encontrado: "9pnet_virtio: no channels available for device", sem /dev/vda',
  '/dev/vda is not there: {}': '/dev/vda não aparece: {}',
  'the CD-ROM has no /dev/sr0, or "mount: unknown filesystem type \'iso9660\'"':
    'o CD-ROM não tem /dev/sr0, ou "mount: unknown filesystem type \'iso9660\'"',
  '"VFS: Unable to mount root fs on unknown-block(8,0)": the disk is there, but nothing can read its ext4':
    '"VFS: Unable to mount root fs on unknown-block(8,0)": o disco está lá, mas nada lê o seu ext4',
  'the partition is not seen: {}': 'a partição não é vista: {}',
  'the initrd is ignored: {}': 'o initrd é ignorado: {}',
  '"Warning: unable to open an initial console.", and systemd finds no /dev/ttyS0 to put a login on':
    '"Warning: unable to open an initial console.", e o systemd não acha /dev/ttyS0 para pôr um login',
  '/proc, /sys and /run': '/proc, /sys e /run',
  '"mount: unknown filesystem type \'proc\'" (or sysfs, tmpfs); systemd stops with "Failed to mount API filesystems"':
    '"mount: unknown filesystem type \'proc\'" (ou sysfs, tmpfs); o systemd para com "Failed to mount API filesystems"',
  'system calls that the C library counts on answer "Function not implemented"':
    'chamadas de sistema com que a biblioteca C conta respondem "Function not implemented"',
  'systemd stops early: "Failed to allocate manager object" or "Freezing execution"':
    'o systemd para cedo: "Failed to allocate manager object" ou "Freezing execution"',
  'some services fail to start ("status=226/NAMESPACE"), others run without their sandbox':
    'alguns serviços não iniciam ("status=226/NAMESPACE"), outros rodam sem isolamento',
  '"Failed to start systemd-sysctl.service": pid_max cannot be as large as the system asks for':
    '"Failed to start systemd-sysctl.service": pid_max não pode ser tão grande quanto o sistema pede',
  '"9pnet: Could not find request transport: virtio": the mount of the share fails':
    '"9pnet: Could not find request transport: virtio": a montagem do compartilhamento falha',
  'programs may wait for random numbers at the first boot':
    'programas podem esperar por números aleatórios no primeiro boot',
  'programs of gcc -m32 end with "Exec format error"': 'programas do gcc -m32 terminam com "Exec format error"',
  'script, tmux and ssh find no pseudo-terminal': 'script, tmux e ssh não acham um pseudoterminal',
  'MSI is not used and timers tick by the old PIT: everything works, but slower':
    'MSI não é usado e os timers usam o velho PIT: tudo funciona, mas mais devagar',
  'addresses of the running kernel are not those of vmlinux: the debugger and the memory view show no names (or add nokaslr to the command line)':
    'os endereços do kernel em execução não são os do vmlinux: o depurador e a vista de memória não mostram nomes (ou acrescente nokaslr à linha de comando)',
  'making a Debian disk needs {}; on Debian and Ubuntu type: {}apt-get install -y {}':
    'criar um disco com Debian precisa de {}; no Debian e no Ubuntu digite: {}apt-get install -y {}',
  '"{}" is no package name': '"{}" não é nome de pacote',
  '{} exists already; nothing was changed. Name another file, or remove that one':
    '{} já existe; nada foi mudado. Indique outro arquivo, ou remova esse',
  'the folder {} does not exist': 'a pasta {} não existe',
  'the disk has to have 1 GiB at least, or the compiler and gdb do not fit':
    'o disco precisa ter pelo menos 1 GiB, ou o compilador e o gdb não cabem',
  "the disk's size has to be a multiple of 4 KiB, the file system's block":
    'o tamanho do disco deve ser múltiplo de 4 KiB, o bloco do sistema de arquivos',
  '"{}" is no host name; use small letters, digits and -':
    '"{}" não é nome de host; use letras minúsculas, dígitos e -',
  'making the disk was cancelled; nothing is left of it': 'a criação do disco foi cancelada; nada sobrou dele',
  'packing the files into {}': 'empacotando os arquivos em {}',
  'packing the image': 'empacotando a imagem',
  'it exists already': 'já existe',
  '{} cannot be written: {}': '{} não pode ser gravado: {}',
  '{} was changed since the plan was made; make the plan again':
    '{} mudou desde que o plano foi feito; faça o plano de novo',
  'nothing was changed in {} that could be undone': 'nada foi mudado em {} que possa ser desfeito',
  '{} was changed since, and undoing would lose that; use "longmode kernel syscall remove {}"':
    '{} mudou desde então, e desfazer perderia isso; use "longmode kernel syscall remove {}"',
  'only for a call that 32-bit programs shall have': 'só para uma chamada que programas de 32 bits devam ter',
  "number {} is {}'s; the next free one is {}": 'o número {} é de {}; o próximo livre é {}',
  'the tree has no system call named {}; nothing to remove':
    'a árvore não tem uma chamada de sistema {}; nada a remover',
  '{} is missing in {}; is the tree complete?': 'falta {} em {}; a árvore está completa?',
  'give the call\'s bare name: "{}", not "{}"': 'dê só o nome da chamada: "{}", não "{}"',
  '"{}" cannot be a system call\'s name; use small letters, digits and _':
    '"{}" não pode ser nome de chamada de sistema; use letras minúsculas, dígitos e _',
  'the source must be a .c file inside the tree, like kernel/memcpy.c; "{}" is not':
    'o fonte deve ser um arquivo .c dentro da árvore, como kernel/memcpy.c; "{}" não é',
  'the parameter "{}" has no name; write it like "unsigned long len"':
    'o parâmetro "{}" não tem nome; escreva como "unsigned long len"',
  'a system call has at most {} parameters; pass a pointer to a struct instead':
    'uma chamada de sistema tem no máximo {} parâmetros; passe um ponteiro para uma struct',
  '{} has no Makefile; it needs "obj-y += {}"': '{} não tem Makefile; precisa de "obj-y += {}"',
  'add "obj-y += {}", or the source is never compiled': 'acrescente "obj-y += {}", ou o fonte nunca é compilado',
  'a system call cannot be in a module: write obj-y': 'uma chamada de sistema não pode estar num módulo: escreva obj-y',
  'make does not enter {}/: add "obj-y += {}/" to {}': 'o make não entra em {}/: acrescente "obj-y += {}/" a {}',
  'compiled when {} is y': 'compilado quando {} é y',
  'it has {} parameters, the definition (line {}) has {}': 'tem {} parâmetros, a definição (linha {}) tem {}',
  'parameter {} is "{}" here and "{}" in the definition; x86 never compares the two, other architectures do':
    'o parâmetro {} é "{}" aqui e "{}" na definição; x86 nunca compara os dois, outras arquiteturas sim',
  'write it as "asmlinkage long {}(…);"': 'escreva como "asmlinkage long {}(…);"',
  'declare "asmlinkage long {}(…);"': 'declare "asmlinkage long {}(…);"',
  'prototype for 32-bit programs': 'protótipo para programas de 32 bits',
  'fallback for 32-bit programs': 'alternativa para programas de 32 bits',
  'fallback to ENOSYS': 'alternativa ENOSYS',
  'add "{}({});", so that a kernel without the call\'s source answers ENOSYS':
    'acrescente "{}({});", para que um kernel sem o fonte da chamada responda ENOSYS',
  'the semicolon is missing': 'falta o ponto e vírgula',
  'ENOSYS where the source is not built': 'ENOSYS onde o fonte não é compilado',
  '{}; define the call with {}{}({}, …)': '{}; defina a chamada com {}{}({}, …)',
  '{} does not define it': '{} não a define',
  'the file is not there': 'o arquivo não está lá',
  'type and name of every parameter are separated by a comma: (name, type1, name1, type2, name2)':
    'tipo e nome de cada parâmetro são separados por vírgula: (nome, tipo1, nome1, tipo2, nome2)',
  'a call has at most {} parameters': 'uma chamada tem no máximo {} parâmetros',
  '{}{} needs {} parameters, there are {}: write {}{}': '{}{} precisa de {} parâmetros, há {}: escreva {}{}',
  'the body is missing or its braces do not match': 'falta o corpo ou as chaves não casam',
  'the code for 32-bit programs': 'o código para programas de 32 bits',
  "number {} lies in x32's range ({} to {}); add new calls behind the last line of the first part, not at the end of the file":
    'o número {} está na faixa do x32 ({} a {}); acrescente chamadas novas após a última linha da primeira parte, não no fim do arquivo',
  'number {} is taken by {} (line {}); take a free one': 'o número {} é usado por {} (linha {}); use um livre',
  'add the line "{} common {} {}"': 'acrescente a linha "{} common {} {}"',
  '{} stands twice: in line {} and in line {}': '{} aparece duas vezes: na linha {} e na linha {}',
  'the ABI is x32, so 64-bit programs cannot call it; write common':
    'a ABI é x32, então programas de 64 bits não podem chamá-la; escreva common',
  '"{}" is no ABI of this table; write common': '"{}" não é uma ABI desta tabela; escreva common',
  'the third column is missing; without {} the call stays unimplemented':
    'falta a terceira coluna; sem {} a chamada fica sem implementação',
  'the entry point is {}; in this tree it has to be {}': 'o ponto de entrada é {}; nesta árvore deve ser {}',
  '64-bit system-call table': 'tabela de chamadas de 64 bits',
  'add the line "{}"; without it 32-bit programs get ENOSYS':
    'acrescente a linha "{}"; sem ela programas de 32 bits recebem ENOSYS',
  'the ABI of this table is always i386, not {}': 'a ABI desta tabela é sempre i386, não {}',
  'the entry point is {}; it has to be {}': 'o ponto de entrada é {}; deve ser {}',
  'number {} here, {} in the 64-bit table; new calls have the same number in both':
    'número {} aqui, {} na tabela de 64 bits; chamadas novas têm o mesmo número nas duas',
  'the last column is {}; it has to be {}': 'a última coluna é {}; deve ser {}',
  '32-bit system-call table': 'tabela de chamadas de 32 bits',
  '"#define __NR_{} {}" is missing before line {}': 'falta "#define __NR_{} {}" antes da linha {}',
  '__NR_{} is {} here and {} in the table': '__NR_{} é {} aqui e {} na tabela',
  '{} is missing behind it': 'falta {} depois dele',
  'line {} does not name sys_{}': 'a linha {} não nomeia sys_{}',
  "number {} is also {}'s in this file": 'o número {} também é de {} neste arquivo',
  'number of system calls': 'número de chamadas de sistema',
  'there is no "#define __NR_syscalls" in this file': 'não há "#define __NR_syscalls" neste arquivo',
  'raise __NR_syscalls from {} to {}, one more than the last number':
    'aumente __NR_syscalls de {} para {}, um a mais que o último número',
  '__NR_syscalls is {}, but the last number is {}; it has to be {}':
    '__NR_syscalls é {}, mas o último número é {}; deve ser {}',
  '{} comes from user space and is used as if it were kernel memory; a bad address then stops the kernel instead of giving EFAULT: copy it with copy_from_user or copy_to_user':
    '{} vem do espaço do usuário e é usado como se fosse memória do kernel; um endereço ruim então para o kernel em vez de dar EFAULT: copie com copy_from_user ou copy_to_user',
  '{} is a user pointer: write {}, so that sparse can check its use':
    '{} é um ponteiro do usuário: escreva {}, para que o sparse confira o uso',
  '{} is not freed on this path; every such call costs the kernel its memory for good: kfree({}) before the return, or goto a label that does':
    '{} não é liberado neste caminho; cada chamada assim custa a memória ao kernel para sempre: kfree({}) antes do return, ou goto para um rótulo que o faça',
  '{} can fail; test {} before {} is used': '{} pode falhar; teste {} antes de usar {}',
  '{} never returns NULL but an error pointer: test IS_ERR({}) and return PTR_ERR({})':
    '{} nunca devolve NULL e sim um ponteiro de erro: teste IS_ERR({}) e devolva PTR_ERR({})',
  "any program can ask for any {}: a large one takes the kernel's memory or makes the page allocator warn (over 4 MiB); refuse it with E2BIG or EINVAL first":
    'qualquer programa pode pedir qualquer {}: um valor grande toma a memória do kernel ou faz o alocador de páginas avisar (acima de 4 MiB); recuse antes com E2BIG ou EINVAL',
  '{} is a signed {}; a negative one becomes a huge size: make it size_t or unsigned':
    '{} é um {} com sinal; um negativo vira um tamanho enorme: use size_t ou unsigned',
  'the result is thrown away; when not everything was copied, return -EFAULT':
    'o resultado é jogado fora; quando nem tudo foi copiado, devolva -EFAULT',
  'this returns how many bytes were NOT copied, a positive number; return -EFAULT when it is not 0':
    'isto devolve quantos bytes NÃO foram copiados, um número positivo; devolva -EFAULT quando não for 0',
  'errors are negative in the kernel: return -{}': 'erros são negativos no kernel: devolva -{}',
  ', {} stands elsewhere': ', {} fica em outro lugar',
  'struct {} has {} bytes for 64-bit and {} for 32-bit programs{}; give it the same layout in both (__u64 members, aligned), or add COMPAT_SYSCALL_DEFINE':
    'a struct {} tem {} bytes para programas de 64 bits e {} para os de 32 bits{}; dê o mesmo layout nos dois (membros __u64, alinhados), ou acrescente COMPAT_SYSCALL_DEFINE',
  'install Docker or Podman and build in a Linux container': 'instale Docker ou Podman e compile num contêiner Linux',
  'build in a Linux container ({} is installed)': 'compile num contêiner Linux ({} está instalado)',
  'build inside WSL (it is installed), or ': 'compile dentro do WSL (está instalado), ou ',
  'install WSL ("wsl --install") and build there, or ': 'instale o WSL ("wsl --install") e compile nele, ou ',
  "the kernel's build needs Linux: {}{}; Longmode boots the result here":
    'compilar o kernel exige Linux: {}{}; o Longmode inicia o resultado aqui',
  'runs the build': 'conduz a compilação',
  'compiles the kernel': 'compila o kernel',
  'archives and copies objects': 'arquiva e copia objetos',
  "the build's own helper programs": 'programas auxiliares da própria compilação',
  'computes time constants': 'calcula constantes de tempo',
  'some scripts of the build': 'alguns scripts da compilação',
  'compresses the image': 'comprime a imagem',
  'packs the initramfs': 'empacota o initramfs',
  'objtool, for stack traces': 'objtool, para rastros de pilha',
  'keys and signatures of modules': 'chaves e assinaturas de módulos',
  'type information (BTF)': 'informações de tipos (BTF)',
  'checks __user and its like (C=1)': 'confere __user e semelhantes (C=1)',
  'keeps compiled objects': 'guarda objetos compilados',
  'compiles on other machines': 'compila em outras máquinas',
  '-m: {} MiB is too little memory; give {} MiB or more': '-m: {} MiB é pouca memória; dê {} MiB ou mais',
  '-m: {} MiB is more memory than a machine can have; at most {} MiB':
    '-m: {} MiB é mais memória do que uma máquina pode ter; no máximo {} MiB',
  '-monitor stdio: the terminal already carries the serial port; give -serial mon:stdio for both':
    '-monitor stdio: o terminal já leva a porta serial; use -serial mon:stdio para os dois',
  '-device virtconsole: give -device virtio-serial-pci before it':
    '-device virtconsole: use -device virtio-serial-pci antes',
  '-device virtconsole: a machine has {} of them at most': '-device virtconsole: uma máquina tem no máximo {} deles',
  '-device virtconsole,chardev={}: there is no -chardev with id={}':
    '-device virtconsole,chardev={}: não há -chardev com id={}',
  '-device virtconsole: two of them have the same chardev=': '-device virtconsole: dois deles têm o mesmo chardev=',
  '-device virtconsole: each is a console tab of the window (hvc0, hvc1, …); a terminal shows the serial port':
    '-device virtconsole: cada um é uma aba de console da janela (hvc0, hvc1, …); um terminal mostra a porta serial',
  '-device …,drive={}: there is no -drive with id={}': '-device …,drive={}: não há -drive com id={}',
  '-device …,drive={}: that -drive needs if=none': '-device …,drive={}: esse -drive precisa de if=none',
  '{}: index={} is used by two drives': '{}: index={} é usado por dois drives',
  '{}: there are four IDE places, index=0 to index=3': '{}: há quatro lugares IDE, index=0 a index=3',
  '-drive if=none: nothing uses "{}"; give if=ide, or a -device with drive={}':
    '-drive if=none: nada usa "{}"; use if=ide, ou um -device com drive={}',
  '-device virtio-9p-pci: there is no -fsdev with id={}': '-device virtio-9p-pci: não há -fsdev com id={}',
  '-fsdev {} is not used: no -device virtio-9p-pci names it':
    '-fsdev {} não é usado: nenhum -device virtio-9p-pci o nomeia',
  'mount_tag={} is used by two shares; each needs its own':
    'mount_tag={} é usado por dois compartilhamentos; cada um precisa do seu',
  '{} is not built yet; {}': '{} ainda não existe aqui; {}',
  'kvm: Longmode needs no KVM; its own engine (jit) runs the machine instead':
    'kvm: o Longmode não precisa de KVM; seu próprio motor (jit) executa a máquina',
  '{}: "{}" is no accelerator here; there are {}': '{}: "{}" não é um acelerador aqui; há {}',
  '{}: "{}" is no CPU model here; there are qemu64, max and host':
    '{}: "{}" não é um modelo de CPU aqui; há qemu64, max e host',
  '{}: vendor= must be AuthenticAMD or GenuineIntel, not "{}"':
    '{}: vendor= deve ser AuthenticAMD ou GenuineIntel, não "{}"',
  '{}: "{}" is no CPU feature; write +name, -name or name=on|off, such as +aes':
    '{}: "{}" não é um recurso de CPU; escreva +nome, -nome ou nome=on|off, como +aes',
  '{} {}: more than one processor': '{} {}: mais de um processador',
  'give -smp 1 or leave it out': 'use -smp 1 ou omita',
  '{}: serial= must be 1 to 20 printable ASCII characters':
    '{}: serial= deve ter de 1 a 20 caracteres ASCII imprimíveis',
  'the disk image': 'a imagem de disco',
  '{}: the first word must be "local", not "{}"; a host folder is what can be shared':
    '{}: a primeira palavra deve ser "local", não "{}"; o que se compartilha é uma pasta deste computador',
  'the host folder': 'a pasta deste computador',
  'the name that the guest mounts': 'o nome que o guest monta',
  '{}: mount_tag= has at most 31 bytes': '{}: mount_tag= tem no máximo 31 bytes',
  'the id= of an -fsdev': 'o id= de um -fsdev',
  'the id= of a -drive': 'o id= de um -drive',
  '-device isa-debug-exit: iosize= must be 1, 2 or 4': '-device isa-debug-exit: iosize= deve ser 1, 2 ou 4',
  '-device: there is no device "{}" here; there are {}': '-device: não existe aqui o dispositivo "{}"; há {}',
  '{} {}: a second serial port': '{} {}: uma segunda porta serial',
  'give one -serial': 'use um só -serial',
  '{}: "{}" must be stdio, mon:stdio, file:PATH or none': '{}: "{}" deve ser stdio, mon:stdio, file:CAMINHO ou none',
  '{}: "{}" must be stdio or none': '{}: "{}" deve ser stdio ou none',
  'its kind, such as pty': 'o tipo, como pty',
  'a name for -device virtconsole,chardev=': 'um nome para -device virtconsole,chardev=',
  'give pty, vc or null': 'use pty, vc ou null',
  '{}: id={} is used twice': '{}: id={} é usado duas vezes',
  'leave it out or give clock=host': 'omita ou use clock=host',
  '{}: base={} must be utc, localtime or a date such as 2026-01-31T12:00:00':
    '{}: base={} deve ser utc, localtime ou uma data como 2026-01-31T12:00:00',
  '{}: there is no machine "{}" here; there is pc': '{}: não existe aqui a máquina "{}"; existe pc',
  '{} {}: a network card': '{} {}: uma placa de rede',
  'give -nic none or leave it out': 'use -nic none ou omita',
  'a name for -device virtio-9p-pci,fsdev=': 'um nome para -device virtio-9p-pci,fsdev=',
  'give -display none or -nographic': 'use -display none ou -nographic',
  '{}: there is an empty element in "{}"': '{}: há um elemento vazio em "{}"',
  '{}: {}= is missing ({})': '{}: falta {}= ({})',
  '{}= must be {}': '{}= deve ser {}',
  '{}: {}= is not known here; there are {}': '{}: {}= não é conhecido aqui; há {}',
  '-help lists them all': '-help lista todas',
  'did you mean -{}? -help lists them all': 'quis dizer -{}? -help lista todas',
  '{}: there is no such flag; {}': '{}: não existe essa opção; {}',
  '"{}" is no flag; a disk image is given with -drive file={},format=raw':
    '"{}" não é uma opção; uma imagem de disco é dada com -drive file={},format=raw',
  '{}: something is missing after it: {} {}': '{}: falta algo depois: {} {}',
  'a command substitution, $( … )': 'uma substituição de comando, $( … )',
  'a command substitution, ` … `': 'uma substituição de comando, ` … `',
  'a second command after ;': 'um segundo comando depois de ;',
  'a command that goes on after &': 'um comando que continua depois de &',
  'a file pattern with *, ? or [': 'um padrão de arquivos com *, ? ou [',
  'the command line has {}, which only a shell can do; write what it stands for, or quote it':
    'a linha de comando tem {}, que só um shell sabe fazer; escreva o que isso representa, ou ponha entre aspas',
  "the command line has an opening ' without its closing one": "a linha de comando tem um ' que abre e não fecha",
  'the command line has an opening " without its closing one': 'a linha de comando tem um " que abre e não fecha',
  'a parameter expansion, ${ … }': 'uma expansão de parâmetro, ${ … }',
  'the command line uses the variable ${}, which is not known here; write its value':
    'a linha de comando usa a variável ${}, que não é conhecida aqui; escreva o valor',
  '"{}" is not a program whose flags are known here; paste a qemu-system-x86_64 command':
    '"{}" não é um programa cujas opções são conhecidas aqui; cole um comando qemu-system-x86_64',
  '{}{} must be on or off': '{}{} deve ser on ou off',
  '{}: "{}" is no size; give a number of MiB, or one with K, M or G such as 2G':
    '{}: "{}" não é um tamanho; dê um número de MiB, ou um com K, M ou G, como 2G',
  '{}: "{}" must be a whole number from {} to {}': '{}: "{}" deve ser um número inteiro de {} a {}',
  '{}: "{}" must be tcp::PORT (the debugger listens on this computer only)':
    '{}: "{}" deve ser tcp::PORTA (o depurador escuta só neste computador)',
  'the place where the image lies is full; the guest gets errors when it writes, until there is room':
    'o lugar onde a imagem está encheu; o guest recebe erros ao gravar, até haver espaço',
  'this computer could not read or write the image; the guest got an error':
    'este computador não conseguiu ler ou gravar a imagem; o guest recebeu um erro',
  'the machine has no shared folder number {}': 'a máquina não tem a pasta compartilhada número {}',
  "the machine's disks and shared folders stopped by a fault of Longmode: {}":
    'os discos e pastas compartilhadas da máquina pararam por uma falha do Longmode: {}',
  'and more of the kind, not shown for a minute': 'e outros do tipo, não mostrados por um minuto',
  'is there again': 'está lá de novo',
  'was moved or removed; the guest keeps what it has of it and gets errors for the rest':
    'foi movida ou removida; o guest mantém o que tem dela e recebe erros para o resto',
  'is another folder now; the guest still sees the old one, a restart of the machine takes the new one':
    'agora é outra pasta; o guest ainda vê a antiga, um reinício da máquina usa a nova',
  'has become read-only; the guest gets errors when it writes': 'ficou somente leitura; o guest recebe erros ao gravar',
  'mapped-xattr needs extended attributes, which are not to be had here; use security_model=none':
    'mapped-xattr precisa de atributos estendidos, que não existem aqui; use security_model=none',
  'cannot share the folder {}: {}': 'não é possível compartilhar a pasta {}: {}',
  'the shared folder {}: {}': 'a pasta compartilhada {}: {}',
  'is what the guest has mounted now': 'é o que o guest tem montado agora',
  'the disk is full; the guest got ENOSPC': 'o disco está cheio; o guest recebeu ENOSPC',
  '{} has no {} any more.': '{} não tem mais {}.',
  'a file is encrypted': 'um arquivo está criptografado',
  'a file keeps its data in its inode': 'um arquivo guarda os dados no inode',
  'there is no ext4 file system': 'não há sistema de arquivos ext4',
  'the file system is compressed': 'o sistema de arquivos está comprimido',
  'the ext4 file system has meta block groups': 'o sistema de arquivos ext4 tem meta block groups',
  'the ext4 file system is damaged (block size)': 'o sistema de arquivos ext4 está danificado (tamanho de bloco)',
  'the ext4 file system is damaged (superblock)': 'o sistema de arquivos ext4 está danificado (superbloco)',
  '{} is larger than {} bytes': '{} é maior que {} bytes',
  'the ext4 file system is damaged (inode {})': 'o sistema de arquivos ext4 está danificado (inode {})',
  'a directory is too large': 'um diretório é grande demais',
  'a directory is damaged': 'um diretório está danificado',
  'a symbolic link is damaged': 'um link simbólico está danificado',
  'a file is damaged (too many extents)': 'um arquivo está danificado (extents demais)',
  'a file is damaged (extents)': 'um arquivo está danificado (extents)',
  'there is no FAT file system': 'não há sistema de arquivos FAT',
  'the FAT file system is damaged': 'o sistema de arquivos FAT está danificado',
  'the refcount table': 'a tabela de refcounts',
  'a refcount block': 'um bloco de refcounts',
  '{} {} cluster {}, whose refcount is {}': '{} {} o cluster {}, cujo refcount é {}',
  'does not claim': 'não reivindica',
  'cluster {} has refcount {} and is used {} times': 'o cluster {} tem refcount {} e é usado {} vezes',
  '{} lies between clusters, at {}': '{} fica entre clusters, em {}',
  '{} lies beyond the end of the file, at {}': '{} fica além do fim do arquivo, em {}',
  'snapshot {} has an L1 table of {} entries': 'o snapshot {} tem uma tabela L1 de {} entradas',
  'the table of snapshots': 'a tabela de snapshots',
  'Disk image {} keeps dirty bitmaps, which Longmode cannot check.':
    'A imagem de disco {} guarda dirty bitmaps, que o Longmode não sabe conferir.',
  'not a zstd frame': 'não é um quadro zstd',
  'a zstd frame without an end': 'um quadro zstd sem fim',
  'Disk image {} is a damaged qcow2 image ({}).': 'A imagem de disco {} é uma imagem qcow2 danificada ({}).',
  'Disk image {} needs {}, which Longmode does not have.':
    'A imagem de disco {} precisa de {}, que o Longmode não tem.',
  'it has no header': 'não tem cabeçalho',
  'version {} of the qcow2 format': 'a versão {} do formato qcow2',
  'its header is cut off': 'o cabeçalho está cortado',
  'clusters of 2^{} bytes': 'clusters de 2^{} bytes',
  'an external data file': 'um arquivo de dados externo',
  'feature bits {}': 'bits de recursos {}',
  'refcounts of 2^{} bits': 'refcounts de 2^{} bits',
  'compression type {}': 'compressão do tipo {}',
  'its header has impossible numbers': 'o cabeçalho tem números impossíveis',
  'its size is no whole number of sectors': 'o tamanho não é um número inteiro de setores',
  'its L1 table is too small': 'a tabela L1 é pequena demais',
  'its L1 table is too large': 'a tabela L1 é grande demais',
  'its refcount table is too large': 'a tabela de refcounts é grande demais',
  'its tables lie between clusters': 'as tabelas ficam entre clusters',
  'its backing file name is cut off': 'o nome do arquivo de base está cortado',
  'The path {} is too long for a qcow2 image.': 'O caminho {} é longo demais para uma imagem qcow2.',
  'the backing file says {}': 'o arquivo de base diz {}',
  'a cluster that is not compressed': 'um cluster que não está comprimido',
  'Disk image {} lies on top of {}, which is not a file.': 'A imagem de disco {} está sobre {}, que não é um arquivo.',
  'Disk image {} lies on top of an image in the format {}, which Longmode cannot read.':
    'A imagem de disco {} está sobre uma imagem no formato {}, que o Longmode não lê.',
  'Disk image {} is marked as damaged; repair it with "qemu-img check -r all", or open it read-only.':
    'A imagem de disco {} está marcada como danificada; conserte com "qemu-img check -r all", ou abra somente para leitura.',
  'Disk image {} was not closed properly; repair it with "qemu-img check -r all", or open it read-only.':
    'A imagem de disco {} não foi fechada direito; conserte com "qemu-img check -r all", ou abra somente para leitura.',
  'Disk image {} keeps dirty bitmaps, which Longmode cannot keep up to date; open it read-only.':
    'A imagem de disco {} guarda dirty bitmaps, que o Longmode não sabe manter em dia; abra somente para leitura.',
  'A cluster of the qcow2 image is shared more often than its refcounts can say.':
    'Um cluster da imagem qcow2 é compartilhado mais vezes do que os refcounts conseguem dizer.',
  'writing {} failed': 'a gravação de {} falhou',
  'the L2 table {}': 'a tabela L2 {}',
  'L1 entry {}': 'a entrada L1 {}',
  'entry {} of L2 table {}': 'a entrada {} da tabela L2 {}',
  'add "#define __NR_{} {}" and {}': 'acrescente "#define __NR_{} {}" e {}',
  'SYSCALL_DEFINE{} with {} parameters; write SYSCALL_DEFINE{}':
    'SYSCALL_DEFINE{} com {} parâmetros; escreva SYSCALL_DEFINE{}',
  '{} or {}': '{} ou {}',
  'the translator stopped by a fault of Longmode ({}); the machine goes on, but slower':
    'o tradutor parou por uma falha do Longmode ({}); a máquina continua, mas mais devagar',
  "On top of another recipe: KASAN, lock checking, the function tracer, debug information with gdb's scripts. Slow and large.":
    'Sobre outra receita: KASAN, verificação de travas, o function tracer, informações de depuração com os scripts do gdb. Lento e grande.',
  'The least that boots here with a shell, an ext4 disk and the shared folder. Builds in a few minutes.':
    'O mínimo que inicia aqui com um shell, um disco ext4 e a pasta compartilhada. Compila em poucos minutos.',
  'Tiny plus all that a Debian disk with systemd, gcc, strace and gdb uses.':
    'Tiny mais tudo o que um disco Debian com systemd, gcc, strace e gdb usa.',
  Debug: 'Depuração',
  Tiny: 'Tiny (mínima)',
  Tutorial: 'Tutorial',
  'EFI system': 'sistema EFI',
  'BIOS boot': 'boot da BIOS',
  'Linux home': 'home do Linux',
  'Linux swap': 'swap do Linux',
  'Microsoft data': 'dados Microsoft',
  'a request of {} bytes with room for {} cannot be answered':
    'uma requisição de {} bytes com espaço para {} não pode ser respondida',
  'tag {} used again while its request is still pending': 'tag {} usada de novo com a requisição ainda pendente',
  '{} is not supported: answered with ENOTSUP': '{} não é suportado: respondido com ENOTSUP',
  'the guest wants messages of {} bytes; the least we speak is {}':
    'o guest quer mensagens de {} bytes; o mínimo que falamos é {}',
  'the guest asked for a dialect other than {}': 'o guest pediu um dialeto diferente de {}',
  '{} failed inside the server, answered with EIO: {}': '{} falhou dentro do servidor, respondido com EIO: {}',
  'the disk quota is used up; the guest got EDQUOT': 'a cota de disco acabou; o guest recebeu EDQUOT',
  'the disk failed; the guest got EIO': 'o disco falhou; o guest recebeu EIO',
  'the edited configuration (make modules_prepare)': 'a configuração editada (make modules_prepare)',
}
